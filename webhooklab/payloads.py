"""Bodies as columns: JSON and forms flattened to dotted names, one odd body never hurting others.

Column names are paths, `data.object.status`; a dot or backslash inside a key is escaped with a
backslash. Lists stay lists, an empty object stays a cell. What has no fields (an array, a scalar,
or a body of too many fields) is in column `$`, whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from webhooklab import bodies
from webhooklab.columns import Column, Counts, Floats, Objects, column_for, frame
from webhooklab.defaults import (
    MAX_COLUMNS_PER_PAYLOAD,
    MAX_PAYLOAD_COLUMNS,
    MAX_PAYLOAD_DEPTH,
)

WHOLE: Final = "$"


class _TooWide(Exception):
    """A body has more fields than its columns would be worth."""


class _Field:
    """One path that was met: the paths below it, its column, and what this chunk has for it."""

    __slots__ = ("below", "column", "path", "rows", "values")

    def __init__(self, path: str) -> None:
        self.path = path
        self.below: dict[str, _Field] = {}
        self.column: Column | None = None
        self.rows: list[int] = []
        self.values: list[Any] = []


class PayloadColumns:
    """Grows by chunks of bodies; gives a frame of all of them."""

    def __init__(self) -> None:
        self._seqs = Counts()
        self._root = _Field("")
        self._whole = _Field(WHOLE)
        self._fields = 0
        self._shown: dict[str, _Field] = {}

    def append(self, chunk: Mapping[str, Sequence[Any]]) -> None:
        """Add a row for each `seq`, `content_type` and `body`; of nothing if it cannot be read."""
        touched: dict[str, _Field] = {}
        for row, body in enumerate(chunk["body"]):
            content_type = chunk["content_type"][row]
            try:
                value = bodies.parse(body, content_type)
            except ValueError:
                continue
            for field, cell in self._cells(value):
                if not field.rows:
                    touched[field.path] = field
                field.rows.append(row)
                field.values.append(cell)
        for field in touched.values():
            _store(field, self._seqs.rows, len(chunk["seq"]))
        self._shown |= touched
        self._seqs.append(chunk["seq"])

    def frame(self) -> pd.DataFrame:
        """One row for each body so far, index `seq`; the caller's to change."""
        columns: dict[str, Column] = {}
        for path, field in self._shown.items():
            column = field.column or Objects()
            column.skip(self._seqs.rows - column.rows)
            columns[path] = column
        return frame(columns, self._seqs.index("seq"))

    def _cells(self, value: Any) -> list[tuple[_Field, Any]]:
        if not isinstance(value, dict):
            return [(self._whole, value)]
        cells: list[tuple[_Field, Any]] = []
        try:
            self._flatten(value, self._root, 0, cells)
        except _TooWide:
            return [(self._whole, value)]
        return cells

    def _flatten(
        self, value: dict[str, Any], at: _Field, depth: int, cells: list[tuple[_Field, Any]]
    ) -> None:
        below = at.below
        for key, cell in value.items():
            field = below.get(key) or self._add_field(at, key)
            if type(cell) is dict and cell and depth < MAX_PAYLOAD_DEPTH:
                self._flatten(cell, field, depth + 1, cells)
            else:
                cells.append((field, cell))
        if len(cells) > MAX_COLUMNS_PER_PAYLOAD:
            raise _TooWide

    def _add_field(self, at: _Field, key: str) -> _Field:
        if self._fields >= MAX_PAYLOAD_COLUMNS:
            raise _TooWide
        self._fields += 1
        name = _escape(key)
        field = _Field(f"{at.path}.{name}" if at is not self._root else name)
        at.below[key] = field
        return field


def _escape(key: str) -> str:
    if key == WHOLE:
        return "\\" + WHOLE
    escaped = key.replace("\\", "\\\\").replace(".", "\\.")
    # A lone surrogate is no text that pandas can hold: it is spelled out.
    return escaped.encode("utf-8", "backslashreplace").decode("utf-8")


def _store(field: _Field, start: int, count: int) -> None:
    """Put what a chunk of `count` rows has for a field into its column."""
    rows = [row for row, cell in zip(field.rows, field.values, strict=True) if cell is not None]
    cells = [cell for cell in field.values if cell is not None]
    field.rows, field.values = [], []
    if not cells:
        return
    if field.column is None:
        field.column = column_for(cells)
    field.column = _widened(field.column, cells)
    field.column.skip(start - field.column.rows)
    field.column.scatter(rows, cells, count)


def _widened(column: Column, cells: list[Any]) -> Column:
    """The column, or one of a wider kind with the same rows, that holds these cells exactly."""
    if isinstance(column, Objects):
        return column
    needed = column_for(cells)
    if type(needed) is type(column):
        return column
    if isinstance(column, Floats) and type(column_for([*cells, 0.5])) is Floats:
        return column
    before = column.values()
    wider = column_for([*before, *cells])
    wider.append(before)
    return wider
