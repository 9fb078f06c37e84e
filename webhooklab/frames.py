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
    return columns.frame()


def unbatched_frame(events: pd.DataFrame, items: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """One row per event, index (`seq`, `item`), from `lab.events` and the events of its batches.

    `items` are rows of seq, item and `ITEM_COLUMNS`, ordered. All columns of `lab.events` but
    `event_count` are there; an event of a batch has its own values and its own part of the body,
    and shares the rest with its delivery.
    """
    single = events[events["event_count"] == 1]
    seqs = np.array([row[0] for row in items], "int64")
    known = np.isin(seqs, events.index.to_numpy())
    own = _item_frame([row for row, keep in zip(items, known, strict=True) if keep])
    parts = events.loc[seqs[known]].reset_index(drop=True).assign(**own)
    both = pd.concat([single.reset_index(drop=True), parts], ignore_index=True)
    both.index = pd.MultiIndex.from_arrays(
        [
            np.concatenate([single.index.to_numpy(), seqs[known]]),
            np.concatenate([np.zeros(len(single), "int64"), _numbers(items, known)]),
        ],
        names=["seq", "item"],
    )
    return (
        both.drop(columns="event_count").sort_index()
        if len(parts)
        else both.drop(columns="event_count")
    )


def _numbers(items: Sequence[Sequence[Any]], known: np.ndarray) -> np.ndarray:
    return np.array([row[1] for row in items], "int64")[known]


def _item_frame(items: Sequence[Sequence[Any]]) -> dict[str, pd.Series]:
    columns = {name: _COLUMNS[EVENT_COLUMNS[name]]() for name in ITEM_COLUMNS}
    for position, column in enumerate(columns.values(), 2):
        column.append([row[position] for row in items])
    index = pd.RangeIndex(len(items))
    return {name: column.series(index) for name, column in columns.items()}
