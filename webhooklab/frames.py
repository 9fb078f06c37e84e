"""Rows become pandas frames: which dtypes, which index. No I/O.

Every frame is the caller's to change: it shares no memory that a change could reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.columns import Column, Counts, Objects, Texts, Times, frame
from webhooklab.records import EVENT_COLUMNS, Kind

_COLUMNS: Final[Mapping[Kind, type[Column]]] = {
    "time": Times,
    "text": Texts,
    "count": Counts,
    "bytes": Objects,
}

ITEM_COLUMNS: Final = (
    *("event_type", "event_id", "entity_type", "entity_id", "occurred_at", "version", "body"),
)
"""What `lab.unbatched` says of each event of a batch by itself."""
_SHARED_COLUMNS: Final = tuple(name for name in EVENT_COLUMNS if name != "event_count")

LOG_COLUMNS: Final[dict[str, Kind]] = {
    "refused_at": "time",
    "remote": "text",
    "status": "count",
    "reason": "text",
}
"""The columns of `lab.log`: requests that were not captured. The index is `entry`."""


class RowColumns:
    """Rows with an integer index, growing by chunks: column name to values, None for nothing."""

    def __init__(self, kinds: Mapping[str, Kind], index_name: str = "seq") -> None:
        self._index_name = index_name
        self._index = Counts()
        self._columns = {name: _COLUMNS[kind]() for name, kind in kinds.items()}

    def append(self, chunk: Mapping[str, Sequence[Any]]) -> None:
        """Add the rows of a chunk; the index is under its own name."""
        self._index.append(chunk[self._index_name])
        for name, column in self._columns.items():
            column.append(chunk[name])

    def amend(self, seqs: Sequence[int], statuses: Sequence[int | None]) -> None:
        """Change the `status` of rows that are there; `seqs` that are not are left out."""
        _amend(self._columns, self._index, seqs, statuses)

    def frame(self) -> pd.DataFrame:
        """All rows so far."""
        return frame(self._columns, self._index.index(self._index_name))


def event_columns(names: Sequence[str] = tuple(EVENT_COLUMNS)) -> RowColumns:
    """An empty `lab.events`, or some of its columns."""
    return RowColumns({name: EVENT_COLUMNS[name] for name in names})


def log_frame(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """`lab.log` from rows of entry, time, remote, status, reason."""
    names = ("entry", *LOG_COLUMNS)
    values = zip(*rows, strict=True) if rows else ((),) * len(names)
    columns = RowColumns(LOG_COLUMNS, "entry")
    columns.append({name: list(column) for name, column in zip(names, values, strict=True)})
    return columns.frame().copy()


class UnbatchedColumns:
    """`lab.unbatched`, growing: one row per event, index (`seq`, `item`).

    All columns of `lab.events` but `event_count`, or `names` of them. An event of a batch has its
    own values and its own part of the body, and shares the rest with its delivery.
    """

    def __init__(self, names: Sequence[str] = _SHARED_COLUMNS) -> None:
        self._index = {"seq": Counts(), "item": Counts()}
        self._columns = {name: _COLUMNS[EVENT_COLUMNS[name]]() for name in names}

    def append(self, chunk: Mapping[str, Sequence[Any]], items: Sequence[Sequence[Any]]) -> None:
        """Add deliveries, and the events of their batches: rows of seq, item, `ITEM_COLUMNS`."""
        of_seq: dict[int, list[Sequence[Any]]] = {}
        for item in items:
            of_seq.setdefault(item[0], []).append(item)
        rows: list[tuple[int, Sequence[Any] | None]] = []  # where in the chunk, which item
        for place, seq in enumerate(chunk["seq"]):
            if seq in of_seq:
                rows += [(place, item) for item in of_seq[seq]]
            elif chunk["event_count"][place] == 1:
                rows.append((place, None))
        self._index["seq"].append([chunk["seq"][place] for place, _ in rows])
        self._index["item"].append([item[1] if item else 0 for _, item in rows])
        for name, column in self._columns.items():
            column.append(_own_or_shared(name, chunk[name], rows))

    def amend(self, seqs: Sequence[int], statuses: Sequence[int | None]) -> None:
        """Change the `status` of deliveries that are there, for all of their events."""
        _amend(self._columns, self._index["seq"], seqs, statuses)

    def frame(self) -> pd.DataFrame:
        """All events so far."""
        index = pd.MultiIndex.from_arrays(
            [column.index(name) for name, column in self._index.items()], names=list(self._index)
        )
        return frame(self._columns, index)


def _amend(
    columns: Mapping[str, Column],
    index: Counts,
    seqs: Sequence[int],
    statuses: Sequence[int | None],
) -> None:
    status = columns.get("status")
    if not seqs or not isinstance(status, Counts):
        return
    starts, stops = index.places(seqs)
    counts = stops - starts
    rows = np.repeat(stops - np.cumsum(counts), counts) + np.arange(counts.sum())
    if len(rows):
        status.put(rows, np.repeat(np.array(statuses, object), counts).tolist())


def _own_or_shared(
    name: str, shared: Sequence[Any], rows: Sequence[tuple[int, Sequence[Any] | None]]
) -> list[Any]:
    if name not in ITEM_COLUMNS:
        return [shared[place] for place, _ in rows]
    own = ITEM_COLUMNS.index(name) + 2  # after seq and item
    return [shared[place] if item is None else item[own] for place, item in rows]
