"""The two sides of the comparison, as columns of numbers (rules 1 to 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import (
    Array,
    codes,
    factorized,
    or_never,
    texts,
    ticks,
)
from webhooklab.comparison.deleting import deletions
from webhooklab.records import EVENT_COLUMNS
from webhooklab.sources import RECOVERED, REPLAY_HEADER, REPLAYED

OUR_OWN: Final = (RECOVERED, REPLAYED)
"""Sources of deliveries that we made ourselves."""
_REPLAYED: Final = rf'(?i)\["{REPLAY_HEADER}'
"""The header that a replay of ours carries, in `headers_json`: it stands first in its pair."""
_TIME_COLUMNS: Final = {
    "events": ("received_at", "stored_at"),
    "snapshots": ("polled_at", "last_seen_at"),
    "polls": ("requested_at", "polled_at"),
    "fetches": ("fetched_at",),
    "listening": ("started_at", "stopped_at"),
}

DELETED: Final = "deleted"
"""The version of a deletion (rule 13)."""


@dataclass
class Pushes:
    """Events that have an entity; rows as in the frame, `rows` their positions in it.

    `counts` is True where the event takes part (rule 3). `own` is False for a thin event: one
    without a version of its own (rule 11). `version` is text, `received` and `occurred` are us.
    """

    frame: pd.DataFrame
    rows: Array
    seq: Array
    item: Array
    received: Array
    counts: Array
    deletion: Array
    version: pd.Series
    own: Array

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, rows: Array | None = None) -> pd.Series:
        """A column of the frame for these rows (positions here), NA if the frame has none."""
        chosen = self.rows if rows is None else self.rows[rows]
        if name not in self.frame:
            return pd.Series([pd.NA] * len(chosen), dtype=object)
        return self.frame[name].take(chosen).reset_index(drop=True)


@dataclass
class Pulls:
    """States that polls saw: one row per snapshot, times in us (rule 1).

    `polled` is `NEVER` where nobody knows when: such a poll proves nothing of before and after.
    """

    frame: pd.DataFrame
    poller: Array
    not_seen: Array
    polled: Array
    last_seen: Array
    deletion: Array
    version: pd.Series

    def __len__(self) -> int:
        return len(self.polled)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column with a plain index; all NA if the frame has none of that name."""
    if name in frame:
        return frame[name].reset_index(drop=True)
    kind = EVENT_COLUMNS.get(name)
    dtype = {"time": "datetime64[us, UTC]", "text": "str", "count": "Int64"}.get(kind or "", object)
    nothing: Any = pd.NaT if kind == "time" else pd.NA
    return pd.Series([nothing] * len(frame), dtype=dtype)


def pushes(events: pd.DataFrame) -> Pushes:
    """The events that have an entity; deliveries without one only count in the summary."""
    entity = column(events, "entity_id")
    rows = np.flatnonzero(entity.notna().to_numpy())
    whole = len(rows) == len(events)
    part = events if whole else events.take(rows)
    version = texts(column(part, "version"))
    names = column(part, "event_type"), column(part, "entity_type")
    deletion = deletions(*names) | (version == DELETED).to_numpy(bool, na_value=False)
    seq, item = _positions(part.index)
    return Pushes(
        frame=events,
        rows=rows,
        seq=seq,
        item=item,
        received=ticks(column(part, "received_at")),
        counts=takes_part(part),
        deletion=deletion,
        version=version,
        own=version.notna().to_numpy() | deletion,
    )


def takes_part(events: pd.DataFrame) -> Array:
    """All but invalid deliveries and our own replays, whatever we answered (rule 3)."""
    part = ~is_invalid(events)
    if "source" in events:
        part &= ~_is_one_of(column(events, "source"), OUR_OWN)
    if "headers_json" in events:
        headers = texts(events["headers_json"])
        replayed = headers.str.contains(_REPLAYED, regex=True, na=False)
        part &= ~replayed.to_numpy(bool)
    return part


def is_invalid(events: pd.DataFrame) -> Array:
    """Where the signature is proved wrong."""
    return _is_one_of(column(events, "verified"), ("invalid",))


def _is_one_of(series: pd.Series, names: tuple[str, ...]) -> Array:
    numbers, distinct = factorized(series)
    return np.array([*(each in names for each in distinct), False])[numbers]


def by_seq(events: pd.DataFrame) -> pd.DataFrame:
    """The events with `seq` (and `item`) as the index, where they are columns as in a CSV."""
    if "seq" not in events or "seq" in events.index.names:
        return events
    return events.set_index([name for name in ("seq", "item") if name in events])


def _positions(index: pd.Index) -> tuple[Array, Array]:
    if isinstance(index, pd.MultiIndex):
        return (np.asarray(index.get_level_values(level), "i8") for level in (0, 1))  # type: ignore[return-value]
    seq = np.asarray(index, "i8")
    return seq, np.zeros(len(seq), "i8")


def pulls(snapshots: pd.DataFrame) -> Pulls:
    """The snapshots; a deletion's version is `deleted`, whatever the row repeats."""
    named = column(snapshots, "entity_id").notna().to_numpy()
    if not named.all():
        snapshots = snapshots[named]
    version = texts(column(snapshots, "version"))
    gone = column(snapshots, "deleted")
    said = gone.astype("boolean").fillna(False).to_numpy(bool)
    deletion = said | (version == DELETED).to_numpy(bool, na_value=False)
    return Pulls(
        frame=snapshots,
        poller=codes(texts(column(snapshots, "poller")).fillna("")),
        not_seen=ticks(time_column(snapshots, "not_seen_at")),
        polled=or_never(ticks(time_column(snapshots, "polled_at"))),
        last_seen=ticks(time_column(snapshots, "last_seen_at")),
        deletion=deletion,
        version=version,
    )


def time_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column of times with a plain index; all NaT if the frame has none of that name."""
    if name in frame:
        return frame[name].reset_index(drop=True)
    return pd.Series([pd.NaT] * len(frame), dtype="datetime64[us, UTC]")


def latest(**frames: pd.DataFrame | None) -> int:
    """The latest time in any frame: what `now` is when nobody says."""
    found = [
        ticks(frame[name]).max()
        for which, frame in frames.items()
        if frame is not None and len(frame)
        for name in _TIME_COLUMNS[which]
        if name in frame
    ]
    return int(max(found, default=0))
