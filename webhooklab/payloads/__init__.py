"""Bodies as columns: JSON and forms flattened to dotted names, one odd body never hurting others.

Column names are paths, `data.object.status`; a dot or backslash inside a key is escaped with a
backslash. Lists stay lists, an empty object stays a cell. What has no fields (an array, a scalar)
is in column `$`, and so is, whole, a body of more fields than there is room for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from webhooklab import bodies
from webhooklab.columns import Cells, Column, Counts, frame
from webhooklab.defaults import MAX_PAYLOAD_CELLS
from webhooklab.payloads.flattening import Field, Fields

_GATHERED_AT_ONCE_BYTES: Final = 2**18
"""What comes of so much text fits into a processor's cache."""
_STORED_AT_ONCE_BYTES: Final = 2**21
"""Parsed JSON takes several times the memory of its text: that of so much is held at one time."""
_WORTH_IT_ROWS: Final = 100
_MOST_FAILURES: Final = 5
"""Bodies that could not be read at once are tried less and less often: every 32nd part at last."""


class PayloadColumns:
    """Grows by chunks of bodies; gives a frame of all of them."""

    def __init__(self) -> None:
        self._seqs = Counts()
        self._fields = Fields()
        self._failures = 0
        self._attempts_to_skip = 0

    def append(self, chunk: Mapping[str, Sequence[Any]]) -> None:
        """Add a row for each `seq`, `content_type` and `body`; of nothing if it cannot be read."""
        for start, stop in _parts(chunk["body"]):
            self._append(
                chunk["seq"][start:stop],
                chunk["content_type"][start:stop],
                chunk["body"][start:stop],
            )

    def _append(
        self, seqs: Sequence[int], content_types: Sequence[str | None], some: Sequence[bytes]
    ) -> None:
        if not self._append_at_once(content_types, some):
            self._append_one_by_one(content_types, some)
        self._seqs.append(seqs)

    def _append_at_once(self, content_types: Sequence[str | None], some: Sequence[bytes]) -> bool:
        if len(some) < _WORTH_IT_ROWS:
            return False
        if self._attempts_to_skip:
            self._attempts_to_skip -= 1
            return False
        kinds = set(map(bodies.kind, content_types, some))
        read = kinds == {bodies.JSON} and self._fields.read_at_once(some, self._seqs.rows)
        self._failures = 0 if read else min(self._failures + 1, _MOST_FAILURES)
        self._attempts_to_skip = 2**self._failures - 1
        return read

    def _append_one_by_one(
        self, content_types: Sequence[str | None], some: Sequence[bytes]
    ) -> None:
        gathered = 0
        for row, (body, content_type) in enumerate(zip(some, content_types, strict=True)):
            try:
                value = bodies.parse(body, content_type)
            except ValueError:
                continue
            self._fields.add(row, value, len(body))
            gathered += len(body)
            if gathered > _GATHERED_AT_ONCE_BYTES:
                self._fields.gather()
                gathered = 0
        self._fields.store(self._seqs.rows, len(some))

    def frame(self) -> pd.DataFrame:
        """One row for each body so far, index `seq`; the caller's to change."""
        columns: dict[str, Column] = {}
        for field in self._fullest():
            column = field.column or Cells()
            column.skip(self._seqs.rows - column.rows)
            columns[field.path] = column
        return frame(columns, self._seqs.index("seq"))

    def _fullest(self) -> list[Field]:
        """The fields that become columns: all, as long as the memory for them is bounded."""
        # What is null here and an object there has its column in what is below it.
        shown = self._fields.shown.values()
        fields = [field for field in shown if field.column is not None or not field.below]
        room = max(MAX_PAYLOAD_CELLS // max(self._seqs.rows, 1), 1)
        if len(fields) <= room:
            return fields
        warnings.warn(
            f"The payloads would be {len(fields):,} columns of {self._seqs.rows:,} rows: the "
            f"{len(fields) - room:,} emptiest are left out. Look at one type with "
            "lab.payloads_of(event_type), or at one delivery with lab[seq].json().",
            RuntimeWarning,
            stacklevel=2,
        )
        fullest = sorted(fields, key=lambda field: -field.filled)[:room]
        kept = {field.path for field in fullest}
        return [field for field in fields if field.path in kept]


def _parts(all_bodies: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Where to cut, so that no part holds much more than `_STORED_AT_ONCE_BYTES`."""
    start = total = 0
    for position, body in enumerate(all_bodies):
        total += len(body)
        if total > _STORED_AT_ONCE_BYTES:
            yield start, position + 1
            start, total = position + 1, 0
    if start < len(all_bodies):
        yield start, len(all_bodies)
