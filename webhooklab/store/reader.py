"""The reading half of a capture file: as many connections as there are readers at a time."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from webhooklab import clock, forks
from webhooklab.records import EVENT_COLUMNS, HERE, Delivery
from webhooklab.store import dropping, reading, writing
from webhooklab.store.connection import Connection, connect, translated
from webhooklab.store.dropping import Dropped
from webhooklab.store.reading import Amendments, Chunk

_DELIVERY_QUERY: Final = (
    f"SELECT seq, {', '.join(EVENT_COLUMNS)} FROM deliveries JOIN raws USING (seq) WHERE "
)


class Reader:
    """Reads a capture file, from any thread. Once closed it opens the file again when asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.address: Callable[[], str] = str
        """Where deliveries are taken for the file; "" when nobody listens."""
        self._idle: list[Connection] | None = []
        self._idle_lock = threading.Lock()
        forks.in_child(self._forked)

    def _forked(self) -> None:
        """In a forked child: no thread of ours is there to give back a lock or a connection."""
        self._idle, self._idle_lock = None, threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection inside one read transaction: all that is read is of one moment."""
        with translated(self.path):
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    def _borrow(self) -> Connection:
        with self._idle_lock:
            if self._idle:
                return self._idle.pop()
        # The last one that may write removes what SQLite keeps beside the file.
        return connect(self.path, write=os.access(self.path, os.W_OK))

    def _give_back(self, connection: Connection) -> None:
        with self._idle_lock:
            if self._idle is not None:
                self._idle.append(connection)
                return
        connection.close()

    def _close_idle(self) -> None:
        with self._idle_lock:
            idle, self._idle = self._idle or [], None
        for connection in idle:
            connection.close()

    # Where it stands

    @property
    def head(self) -> int:
        """The highest `seq` ever given, by any process; 0 when there was none."""
        with self.reading() as connection:
            return writing.last_seq(connection)

    def state(self, connection: Connection) -> tuple[int, int]:
        """The revision of the rows that were there before, and the highest `seq`."""
        query = "SELECT value FROM meta WHERE key = 'revision'"
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0, writing.last_seq(connection)

    def amendments(self, connection: Connection, after: int) -> Amendments:
        """What has changed in rows that are there, beyond the first `after` changes."""
        return reading.amendments(connection, after)

    def last_amendment(self, connection: Connection) -> int:
        """How many changes there have been to rows that are there."""
        return reading.last_amendment(connection)

    def count(self) -> int:
        """How many deliveries the file holds."""
        with self.reading() as connection:
            return self.counted(connection)

    def counted(self, connection: Connection) -> int:
        """`count`, inside `reading()`."""
        return int(connection.execute("SELECT count(*) FROM deliveries").fetchone()[0])

    def dropped(self, connection: Connection) -> Dropped:
        """The deliveries that the file no longer keeps: all up to a `seq`; inside `reading()`."""
        return dropping.dropped(connection)

    def used_bytes(self) -> int:
        """What the file holds, free pages left out."""
        with self.reading() as connection:
            return dropping.used_bytes(connection)

    def journal_mode(self) -> str:
        """How SQLite keeps a transaction whole: "wal", or "truncate" on a network file system."""
        with self.reading() as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    # Many rows, by column

    def chunks(
        self,
        connection: Connection,
        columns: Sequence[str] = tuple(EVENT_COLUMNS),
        *,
        after: int = 0,
        where: str = "1",
        parameters: Sequence[object] = (),
    ) -> Iterator[Chunk]:
        """Rows by column, oldest first, in chunks of bounded size; inside `reading()`."""
        return reading.chunks(connection, columns, after=after, where=where, parameters=parameters)

    def before_last(
        self,
        connection: Connection,
        last: int | None,
        where: str,
        parameters: Sequence[object],
    ) -> int:
        """The `seq` after which the `last` matching rows come; 0 when all of them are meant."""
        if last is None:
            return 0
        if last <= 0:
            return writing.last_seq(connection)
        query = f"SELECT seq FROM deliveries WHERE {where} ORDER BY seq DESC LIMIT 1 OFFSET ?"
        row = connection.execute(query, (*parameters, last - 1)).fetchone()
        return int(row[0]) - 1 if row else 0

    def items(self, connection: Connection, *, after: int = 0) -> list[tuple[Any, ...]]:
        """The events of batches: seq, item, type, id, entity type and id, time, version, body."""
        query = "SELECT * FROM items WHERE seq > ? ORDER BY seq, item"
        return connection.execute(query, (after,)).fetchall()

    def item_bodies(
        self, connection: Connection, seqs: Sequence[int]
    ) -> dict[tuple[int, int], bytes | None]:
        """The bodies of the events of some batches, by seq and item."""
        query = "SELECT seq, item, body FROM items WHERE seq IN (SELECT value FROM json_each(?))"
        rows = connection.execute(query, (json.dumps(list(seqs)),))
        return {(seq, item): body for seq, item, body in rows}

    def seqs_after(
        self, after: int, limit: int, where: str, parameters: Sequence[object]
    ) -> list[int]:
        """The first `limit` seqs above `after` whose rows match; -1 is all of them."""
        query = f"SELECT seq FROM deliveries WHERE seq > ? AND {where} ORDER BY seq LIMIT ?"
        with self.reading() as connection:
            rows = connection.execute(query, (after, *parameters, limit)).fetchall()
        return [row[0] for row in rows]

    # Single deliveries

    def delivery(self, seq: int) -> Delivery | None:
        """One delivery; None when there is none with this `seq`."""
        return next(iter(self._deliveries("seq = ?", (seq,))), None)

    def nth(self, position: int) -> Delivery | None:
        """The delivery at a position: 0 the oldest, -1 the newest; None beyond the ends."""
        order, offset = ("ASC", position) if position >= 0 else ("DESC", -position - 1)
        where = f"1 ORDER BY seq {order} LIMIT 1 OFFSET ?"
        return next(iter(self._deliveries(where, (offset,))), None)

    def following(self, after: int, limit: int) -> list[Delivery]:
        """The next deliveries with `seq > after`, oldest first."""
        return self._deliveries("seq > ? ORDER BY seq LIMIT ?", (after, limit))

    def _deliveries(self, where: str, parameters: Sequence[object]) -> list[Delivery]:
        with self.reading() as connection:
            rows = connection.execute(_DELIVERY_QUERY + where, parameters).fetchall()
        base_url = self.address() or HERE
        return [_delivery(row, base_url) for row in rows]

    # The rest

    def refusals(self) -> list[tuple[int, int, str | None, int | None, str]]:
        """The requests that were not captured: id, time in us, remote, status, reason."""
        with self.reading() as connection:
            query = "SELECT id, refused_at, remote, status, reason FROM refusals ORDER BY id"
            return connection.execute(query).fetchall()

    def recall(self, key: str) -> str | None:
        """A setting from the file; None when it has none."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def mappings(self) -> list[str]:
        """The mappings (JSON) that the file keeps."""
        with self.reading() as connection:
            rows = connection.execute("SELECT definition FROM mappings ORDER BY path").fetchall()
        return [row[0] for row in rows]


def _delivery(row: Sequence[Any], base_url: str) -> Delivery:
    values = dict(zip(("seq", *EVENT_COLUMNS), row, strict=True))
    for name, kind in EVENT_COLUMNS.items():
        if kind == "time" and values[name] is not None:
            values[name] = clock.to_datetime(values[name])
    return Delivery(**values, base_url=base_url)
