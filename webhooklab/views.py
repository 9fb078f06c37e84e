"""The capture file seen as frames: what was read is kept, and only what is new is read again."""

from __future__ import annotations

import contextlib
import gc
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import pandas as pd

from webhooklab import clock, search
from webhooklab.errors import FilterError
from webhooklab.frames import RowColumns, UnbatchedColumns, event_columns, log_frame
from webhooklab.instants import parse_instant
from webhooklab.payloads import PayloadColumns
from webhooklab.records import EVENT_COLUMNS
from webhooklab.sources import REPLAYED, is_replay
from webhooklab.store import Chunk, Connection, Store

LIGHT_COLUMNS: Final = tuple(name for name in EVENT_COLUMNS if name != "body")
EVIDENCE_COLUMNS: Final = (
    *("received_at", "stored_at", "source", "provider", "event_type", "event_id", "entity_type"),
    *("entity_id", "occurred_at", "version", "verified", "duplicate_of", "content_type"),
    *("body_bytes", "status"),
)
"""What a comparison asks of each event."""

Since: TypeAlias = datetime | timedelta | str

_LARGEST: Final = 2**62  # about what SQLite can hold


class _Growing(Protocol):
    def frame(self) -> pd.DataFrame: ...


class _GrowingByChunks(_Growing, Protocol):
    def append(self, chunk: Chunk, /) -> None: ...


Rows = TypeVar("Rows", bound=_Growing)


class _Kept(ABC, Generic[Rows]):
    """Rows that have been read. Read from the start again only when old rows have changed."""

    def __init__(
        self,
        store: Store,
        names: Sequence[str],
        empty: Callable[[], Rows],
        where: str = "1",
        parameters: Sequence[object] = (),
        *,
        trims: bool = True,
    ) -> None:
        self._store = store
        self._trims = trims
        self._names = names
        self._empty = empty
        self._where = where
        self._parameters = parameters
        self._lock = threading.Lock()
        self._rows = empty()
        self._revision = -1
        self._last = 0
        self._gone = self._amended = 0

    def frame(self) -> pd.DataFrame:
        """All rows, the new ones among them."""
        with self._lock, _collector_resting():
            self._catch_up()
            return self._kept()

    def _kept(self) -> pd.DataFrame:
        """The rows without those that the file has dropped since; read anew where these prevail."""
        frame = self._rows.frame()
        if not self._gone:
            return frame
        gone = int(frame.index.get_level_values("seq").searchsorted(self._gone, "right"))
        if gone and (not self._trims or gone > len(frame) // 2):
            self._revision = -1
            self._catch_up()
            return self._rows.frame()
        return frame.iloc[gone:]

    def _catch_up(self) -> None:
        with self._store.reading() as connection:
            revision, head = self._store.state(connection)
            if revision != self._revision:
                self._rows, self._revision, self._last = self._empty(), revision, 0
                self._amended = self._store.last_amendment(connection)
            self._amend(connection)
            if head > self._last:
                self._read_new(connection, self._last)
            self._last = head
            self._gone = self._store.dropped(connection).through

    def _amend(self, connection: Connection) -> None:
        """Change what has been read and has changed since: the status that a sender got."""
        if isinstance(self._rows, RowColumns | UnbatchedColumns):
            found = self._store.amendments(connection, self._amended)
            self._rows.amend(found.seqs, found.statuses)
            self._amended = found.last

    @abstractmethod
    def _read_new(self, connection: Connection, after: int) -> None:
        """Append the rows with `seq > after`."""

    def _chunks(self, connection: Connection, after: int) -> Iterator[Chunk]:
        return self._store.chunks(
            connection, self._names, after=after, where=self._where, parameters=self._parameters
        )


class _KeptRows(_Kept[_GrowingByChunks]):
    def _read_new(self, connection: Connection, after: int) -> None:
        for chunk in self._chunks(connection, after):
            self._rows.append(chunk)


class _KeptEvents(_Kept[UnbatchedColumns]):
    def _read_new(self, connection: Connection, after: int) -> None:
        items = self._store.items(connection, after=after)
        for chunk in self._chunks(connection, after):
            last = chunk["seq"][-1]
            self._rows.append(chunk, [item for item in items if after < item[0] <= last])
            after = last

    def _chunks(self, connection: Connection, after: int) -> Iterator[Chunk]:
        return map(self._noted, super()._chunks(connection, after))

    def _noted(self, chunk: Chunk) -> Chunk:
        """A chunk as it is kept."""
        return chunk


class _KeptEvidence(_KeptEvents):
    def _noted(self, chunk: Chunk) -> Chunk:
        pairs = zip(chunk["source"], chunk.pop("headers_json"), strict=True)
        chunk["source"] = [REPLAYED if is_replay(headers) else source for source, headers in pairs]
        return chunk


class Views:
    """The frames of one capture file."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._events = _KeptRows(store, tuple(EVENT_COLUMNS), event_columns)
        self._unbatched = _KeptEvents(store, tuple(EVENT_COLUMNS), UnbatchedColumns)
        self._evidence = _KeptEvidence(
            store,
            (*EVIDENCE_COLUMNS, "event_count", "headers_json"),
            lambda: UnbatchedColumns(EVIDENCE_COLUMNS),
        )
        self._payloads: dict[str | None, _KeptRows] = {}

    def events(self) -> pd.DataFrame:
        """`lab.events`: one row per delivery, index `seq`."""
        return self._events.frame()

    def unbatched(self) -> pd.DataFrame:
        """`lab.unbatched`: one row per event, index (`seq`, `item`)."""
        return self._unbatched.frame()

    def evidence(self) -> pd.DataFrame:
        """What a comparison asks of `unbatched`: no bodies, no headers; our replays by `source`."""
        return self._evidence.frame()

    def payloads(self, event_type: str | None = None) -> pd.DataFrame:
        """`lab.payloads`, or those of one event type without the others' columns."""
        if event_type not in self._payloads:
            where = "1" if event_type is None else "event_type = ?"
            parameters = [] if event_type is None else [event_type]
            self._payloads[event_type] = _KeptRows(
                self._store,
                ("content_type", "body"),
                PayloadColumns,
                where,
                parameters,
                trims=False,  # a column that only dropped rows had is to go, too
            )
        return self._payloads[event_type].frame()

    def find(
        self,
        where: str | None = None,
        *,
        last: int | None = None,
        since: Since | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The rows that match, without their bodies unless `columns` asks for them.

        `last`: only so many of the newest. `since`: received at that time or later; a span counts
        back from now. Raises `FilterError` for a filter, a time or a column that is none.
        """
        names = LIGHT_COLUMNS if columns is None else _checked(columns)
        last = None if last is None else min(last, _LARGEST)
        condition, parameters = search.to_sql(search.parse(where))
        if since is not None:
            condition += " AND received_at >= ?"
            parameters.append(_instant(since))
        with self._store.reading() as connection:
            after = self._store.before_last(connection, last, condition, parameters)
            return self._select(connection, names, condition, parameters, after)

    def rows(
        self, seqs: Sequence[int], columns: Sequence[str] = tuple(EVENT_COLUMNS)
    ) -> pd.DataFrame:
        """Some rows of `lab.events`, bodies included unless `columns` leaves them out."""
        condition = "seq IN (SELECT value FROM json_each(?))"
        with self._store.reading() as connection:
            return self._select(connection, columns, condition, [json.dumps(list(seqs))])

    def between(self, start: int | None, stop: int | None) -> pd.DataFrame:
        """The rows with `start <= seq < stop`; negative ones count from the newest, like a list."""
        with self._store.reading() as connection:
            first, end = (self._seq_at(connection, each) for each in (start, stop))
            condition = "seq >= coalesce(?, 0) AND seq < coalesce(?, seq + 1)"
            return self._select(connection, tuple(EVENT_COLUMNS), condition, [first, end])

    def _seq_at(self, connection: Connection, position: int | None) -> int | None:
        if position is None or position >= 0:
            return position
        return self._store.before_last(connection, -position, "1", ()) + 1

    def _select(
        self,
        connection: Connection,
        names: Sequence[str],
        condition: str,
        parameters: Sequence[object],
        after: int = 0,
    ) -> pd.DataFrame:
        rows = event_columns(names)
        with _collector_resting():
            for chunk in self._store.chunks(
                connection, names, after=after, where=condition, parameters=parameters
            ):
                rows.append(chunk)
        return rows.frame().copy()

    def log(self) -> pd.DataFrame:
        """`lab.log`: the requests that were not captured."""
        return log_frame(self._store.refusals())


def _checked(columns: Sequence[str]) -> Sequence[str]:
    columns = [columns] if isinstance(columns, str) else columns
    unknown = [name for name in columns if name not in EVENT_COLUMNS]
    if unknown:
        raise FilterError(
            f"lab.events has no column {unknown[0]!r}: choose from {', '.join(EVENT_COLUMNS)}."
        )
    return list(dict.fromkeys(columns))


def _instant(since: Any) -> int:
    instant = parse_instant(since)
    try:
        if instant is None:
            span = since if isinstance(since, timedelta) else pd.Timedelta(since)
            instant = clock.now_us() - int(span // clock.MICROSECOND)
    except (TypeError, ValueError) as error:
        raise FilterError(
            f"since={since!r} is neither a time nor a span: pass a datetime, a timedelta, "
            "'2026-03-01T12:00Z' or '15min'."
        ) from error
    return min(max(instant, 0), _LARGEST)  # nothing was received before 1970


@contextlib.contextmanager
def _collector_resting() -> Iterator[None]:
    """Keep the garbage collector from walking all that the notebook holds, again and again.

    What is made meanwhile has no cycles, and is wanted.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
