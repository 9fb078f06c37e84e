"""The two sides of the comparison, as columns of numbers (rules 1 to 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array, or_never, texts, ticks
from webhooklab.comparison.coded import Coded, coded
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


@dataclass(kw_only=True)
class _Side:
    """A frame of rows that have an entity; its columns of few words are read once."""

    frame: pd.DataFrame
    _coded: dict[str, Coded] = field(default_factory=dict)

    def column(self, name: str, rows: Array | None = None) -> pd.Series:
        """A column of the frame, or some rows of it; NA if it has none of that name."""
        if rows is None:
            return column(self.frame, name)
        if name not in self.frame:
            return _absent(name, len(rows))
        return self.frame[name].take(rows).reset_index(drop=True)

    def coded(self, name: str) -> Coded:
        """A column of texts as numbers."""
        if name not in self._coded:
            self._coded[name] = coded(texts(self.column(name)))
        return self._coded[name]


@dataclass(kw_only=True)
class Pushes(_Side):
    """Events that have an entity.

    `counts` is True where the event takes part (rule 3), which the `invalid` do not. `own` is
    False for a thin event: one without a version of its own (rule 11). `version` is text,
    `received` is us.
    """

    seq: Array
    received: Array
    counts: Array
    invalid: Array
    deletion: Array
    version: pd.Series
    own: Array

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(kw_only=True)
class Pulls(_Side):
    """States that polls saw: one row per snapshot, times in us (rule 1).

    `polled` is `NEVER` where nobody knows when: such a poll proves nothing of before and after.
    """

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
    return frame[name].reset_index(drop=True) if name in frame else _absent(name, len(frame))


def _absent(name: str, count: int) -> pd.Series:
    kind = EVENT_COLUMNS.get(name)
    dtype = {"time": "datetime64[us, UTC]", "text": "str", "count": "Int64"}.get(kind or "", object)
    nothing: Any = pd.NaT if kind == "time" else pd.NA
    return pd.Series([nothing] * count, dtype=dtype)


def pushes(events: pd.DataFrame) -> Pushes:
    """The events that have an entity; deliveries without one only count in the summary."""
    part = _with_entity(events)
    version, event_type = texts(column(part, "version")), coded(texts(column(part, "event_type")))
    deletion = deletions(event_type, column(part, "entity_type")) | _are_deleted(version)
    invalid = is_invalid(part)
    return Pushes(
        frame=part,
        seq=np.asarray(part.index.get_level_values(0), "i8"),
        received=ticks(column(part, "received_at")),
        counts=~(invalid | _are_ours(part)),
        invalid=invalid,
        deletion=deletion,
        version=version,
        own=version.notna().to_numpy() | deletion,
        _coded={"event_type": event_type},
    )


def _with_entity(frame: pd.DataFrame) -> pd.DataFrame:
    named = (
        frame["entity_id"].notna().to_numpy()
        if "entity_id" in frame
        else np.zeros(len(frame), bool)
    )
    return frame if named.all() else frame[named]


def _are_deleted(version: pd.Series) -> Array:
    return (version == DELETED).to_numpy(bool, na_value=False)


def takes_part(events: pd.DataFrame) -> Array:
    """All but invalid deliveries and our own replays, whatever we answered (rule 3)."""
    return ~(is_invalid(events) | _are_ours(events))


def is_invalid(events: pd.DataFrame) -> Array:
    """Where the signature is proved wrong."""
    return coded(column(events, "verified")).which(("invalid",).__contains__)


def _are_ours(events: pd.DataFrame) -> Array:
    ours = coded(column(events, "source")).which(OUR_OWN.__contains__)
    if "headers_json" in events:
        headers = texts(events["headers_json"])
        ours |= headers.str.contains(_REPLAYED, regex=True, na=False).to_numpy(bool)
    return ours


def by_seq(events: pd.DataFrame) -> pd.DataFrame:
    """The events with `seq` (and `item`) as the index, where they are columns as in a CSV."""
    if "seq" not in events or "seq" in events.index.names:
        return events
    return events.set_index([name for name in ("seq", "item") if name in events])


def pulls(snapshots: pd.DataFrame) -> Pulls:
    """The snapshots; a deletion's version is `deleted`, whatever the row repeats."""
    part = _with_entity(snapshots)
    version = texts(column(part, "version"))
    gone = column(part, "deleted").astype("boolean").fillna(False).to_numpy(bool)
    return Pulls(
        frame=part,
        poller=coded(texts(column(part, "poller")).fillna("")).numbers,
        not_seen=ticks(time_column(part, "not_seen_at")),
        polled=or_never(ticks(time_column(part, "polled_at"))),
        last_seen=ticks(time_column(part, "last_seen_at")),
        deletion=gone | _are_deleted(version),
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
