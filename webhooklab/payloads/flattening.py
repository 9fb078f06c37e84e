"""JSON objects taken apart into fields, many at a time.

Most bodies have the keys and types of the one before them. Objects that are alike are collected
as tuples and turned into columns together: what each of them costs hardly grows with its width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

from webhooklab.columns import Column, bulk, widened
from webhooklab.defaults import (
    MAX_COLUMNS_PER_PAYLOAD,
    MAX_PAYLOAD_COLUMNS,
    MAX_PAYLOAD_DEPTH,
)

WHOLE: Final = "$"
_SHORTEST_FIELD_BYTES: Final = 5  # "":1,


class Field:
    """One path that was met: the paths below it, its column, and what is new for the column.

    `column` None: nothing but null has come so far. `filled` counts the cells that are not null.
    """

    __slots__ = ("below", "column", "filled", "path", "pieces")

    def __init__(self, path: str) -> None:
        self.path = path
        self.below: dict[str, Field] = {}
        self.column: Column | None = None
        self.filled = 0
        self.pieces: list[tuple[list[int], Sequence[Any]]] = []

    def add(self, row: int, value: object) -> None:
        """One more cell."""
        self.pieces.append(([row], [value]))

    def store(self, start: int, count: int) -> None:
        """Put what is new among `count` rows into the column, from row `start` on."""
        if not self.pieces:
            return
        rows, values = self._new_cells()
        self.filled += len(rows)
        self.column = widened(self.column, values)
        self.column.skip(start - self.column.rows)
        self.column.scatter(rows, values, count)

    def _new_cells(self) -> tuple[list[int], Sequence[Any]]:
        pieces, self.pieces = self.pieces, []
        if len(pieces) == 1:
            return pieces[0]
        rows = chain.from_iterable(rows for rows, _ in pieces)
        return list(rows), list(chain.from_iterable(values for _, values in pieces))


class _Layout:
    """Objects at one path with the same keys and types. Positions are those of the keys."""

    __slots__ = ("complete", "leaves", "nested", "rows", "values")

    def __init__(self) -> None:
        self.complete = True
        self.leaves: list[tuple[int, Field]] = []
        self.nested: list[tuple[int, Field]] = []
        self.rows: list[int] = []
        self.values: list[tuple[Any, ...]] = []

    def distribute(self) -> None:
        """Give each field what the objects have for it."""
        columns = list(zip(*self.values, strict=True))
        for position, field in self.leaves:
            field.pieces.append((self.rows, columns[position]))


class Fields:
    """The tree of all fields that were met. `shown`: those with cells, in the order they came."""

    def __init__(self) -> None:
        self.shown: dict[str, Field] = {}
        self._root = Field("")
        self._whole = Field(WHOLE)
        self._count = 0
        self._layouts: dict[tuple[Any, ...], _Layout] = {}
        self._is_new = False

    def add(self, row: int, value: Any, body_bytes: int) -> None:
        """Take one body apart."""
        if type(value) is not dict or _is_wide(value, body_bytes):
            self._add_whole(row, value)
            return
        self._is_new = False
        complete = self._flatten(value, self._root, row, 0)
        if self._is_new:
            self._show(value, self._root, 0)
        if not complete:
            self._add_whole(row, value)

    def read_at_once(self, texts: Sequence[bytes], start: int) -> bool:
        """Read objects of fields that are all known into the columns, from row `start` on.

        False when that is not possible, or could come out otherwise than one by one: then nothing
        has changed.
        """
        of = _object_type(self._root) if 0 < self._count <= MAX_COLUMNS_PER_PAYLOAD else None
        objects = bulk.read(texts, of) if of is not None else None
        if objects is not None:
            _extend(self._root, objects, start)
        return objects is not None

    def gather(self) -> None:
        """Make columns of the objects that were collected, while they are in the cache."""
        for layout in self._layouts.values():
            layout.distribute()
        self._layouts = {}

    def store(self, start: int, count: int) -> None:
        """Put what was added, which are `count` rows, into the columns, from row `start` on."""
        self.gather()
        for field in self.shown.values():
            field.store(start, count)

    def _add_whole(self, row: int, value: object) -> None:
        self.shown[WHOLE] = self._whole
        if value is not None:
            self._whole.add(row, value)

    def _flatten(self, value: dict[str, Any], at: Field, row: int, depth: int) -> bool:
        """Take an object apart; returns whether there was room for all of its fields."""
        cells = tuple(value.values())
        key = (at, tuple(value), tuple(map(type, cells)))
        layout = self._layouts.get(key) or self._learn(key, depth)
        layout.rows.append(row)
        layout.values.append(cells)
        complete = layout.complete
        for position, field in layout.nested:
            if cells[position]:
                complete &= self._flatten(cells[position], field, row, depth + 1)
            else:
                field.add(row, {})
        return complete

    def _learn(self, key: tuple[Any, ...], depth: int) -> _Layout:
        self._is_new = True
        layout = self._layouts[key] = _Layout()
        at, names, types = key
        for position, (name, kind) in enumerate(zip(names, types, strict=True)):
            field = at.below.get(name) or self._add_field(at, name)
            if field is None:
                layout.complete = False
            elif kind is dict and depth < MAX_PAYLOAD_DEPTH:
                layout.nested.append((position, field))
            elif kind is not type(None):
                layout.leaves.append((position, field))
        return layout

    def _add_field(self, at: Field, key: str) -> Field | None:
        if self._count >= MAX_PAYLOAD_COLUMNS:
            return None
        self._count += 1
        name = _escape(key)
        field = Field(f"{at.path}.{name}" if at is not self._root else name)
        at.below[key] = field
        return field

    def _show(self, value: dict[str, Any], at: Field, depth: int) -> None:
        for key, cell in value.items():
            field = at.below.get(key)
            if field is None:
                continue
            if type(cell) is dict and cell and depth < MAX_PAYLOAD_DEPTH:
                self._show(cell, field, depth + 1)
            else:
                self.shown.setdefault(field.path, field)


def _object_type(at: Field) -> Any:
    """The Arrow type of the objects at a field; None where there is no one type for them."""
    types = {}
    for key, field in at.below.items():
        if field.below:
            # A field that is an object here and a value there has no one type.
            types[key] = _object_type(field) if field.column is None else None
        else:
            types[key] = bulk.NULL if field.column is None else field.column.arrow_type()
    return None if None in types.values() or not _are_text(types) else bulk.struct(types)


def _are_text(keys: Iterable[str]) -> bool:
    return not any("\ud800" <= char <= "\udfff" for key in keys for char in key)


def _extend(at: Field, objects: Any, start: int) -> None:
    arrays = objects.flatten()
    for (_, field), array in zip(at.below.items(), arrays, strict=True):
        if field.below:
            _extend(field, array, start)
        elif field.column is not None:
            field.column.skip(start - field.column.rows)
            field.column.extend(array)
            field.filled += len(array) - array.null_count


def _escape(key: str) -> str:
    if key == WHOLE:
        return "\\" + WHOLE
    escaped = key.replace("\\", "\\\\").replace(".", "\\.")
    # A lone surrogate is no text that pandas can hold: it is spelled out.
    return escaped.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_wide(value: dict[str, Any], body_bytes: int) -> bool:
    """Whether an object has more fields than its columns would be worth."""
    if body_bytes <= MAX_COLUMNS_PER_PAYLOAD * _SHORTEST_FIELD_BYTES:
        return len(value) > MAX_COLUMNS_PER_PAYLOAD  # a form can have shorter ones
    count = 0
    waiting = [value]
    while waiting and count <= MAX_COLUMNS_PER_PAYLOAD:
        at = waiting.pop()
        count += len(at)
        waiting += [cell for cell in at.values() if type(cell) is dict]
    return count > MAX_COLUMNS_PER_PAYLOAD
