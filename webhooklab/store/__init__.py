"""The capture file: SQLite, one writer thread, as many readers as there are.

A delivery is stored when its group's commit has returned: `kill -9` after that loses nothing.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from webhooklab import clock
from webhooklab.defaults import (
    ATTACHED_POLL_SECONDS,
    MAX_COMMIT_ROWS,
    MAX_LOG_ROWS,
)
from webhooklab.errors import CaptureFileError, ClosedError, StoreError
from webhooklab.records import EVENT_COLUMNS, Arrival, Delivery, Interpretation, Request
from webhooklab.store import reading, upkeep, writing
from webhooklab.store.changes import Changes
from webhooklab.store.committer import Committer
from webhooklab.store.connection import (
    Connection,
    check_ours,
    connect,
    create,
    prepare,
    transaction,
    translated,
)
from webhooklab.store.reading import Chunk
from webhooklab.store.writing import Stored

__all__ = ["Chunk", "Connection", "Refusal", "Store", "Stored", "StoreError"]

_DELIVERY_QUERY = (
    f"SELECT seq, {', '.join(EVENT_COLUMNS)} FROM deliveries JOIN raws USING (seq) WHERE "
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not captured: a row of `lab.log`. `status` None: no answer was possible."""

    refused_at: int
    remote: str | None
    status: int | None
    reason: str


Done: TypeAlias = Callable[[Sequence[Stored | None] | CaptureFileError], None]


class Store:
    """A capture file, open for reading and writing from any thread.

    `write=False` reads a file without creating, changing or preparing it.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        self.path = path
        self._write = write
        self._closed = False
        self._readers: list[Connection] = []
        self._lock = threading.Lock()  # the writer's
        self._readers_lock = threading.Lock()
        self._changes = Changes()
        self._data_version = -1
        self.on_foreign_change: Callable[[], object] = _nothing
        """Called on the store's thread when another connection has written to the file."""
        if write:
            create(path)
        self._writer: Connection | None = self._open()
        self._identity = _identity(path)
        self._committer = Committer(self._commit, limit=MAX_COMMIT_ROWS) if write else None

    def _open(self) -> Connection:
        connection = connect(self.path, write=self._write)
        try:
            if self._write:
                prepare(self.path, connection)
            else:
                with translated(self.path):
                    check_ours(self.path, connection)
        except BaseException:
            connection.close()
            raise
        return connection

    # Writing

    def submit(self, items: Sequence[Arrival | Refusal], done: Done) -> None:
        """Have arrivals and refusals stored with the next commit.

        `done` is called on the store's thread, with a `Stored` for each arrival (None for each
        refusal), or with the `StoreError` that kept all of them from being stored.
        """
        if self._committer is None or self._closed:
            done(StoreError(f"The capture file {self.path} is closed."))
            return
        self._committer.submit(items, done)

    def append(self, items: Sequence[Arrival | Refusal]) -> list[Stored | None]:
        """`submit`, and wait for the commit. Raises `StoreError`."""
        outcome: list[Sequence[Stored | None] | CaptureFileError] = []
        ready = threading.Event()
        self.submit(items, lambda result: (outcome.append(result), ready.set())[1])
        ready.wait()
        if isinstance(outcome[0], CaptureFileError):
            raise outcome[0]
        return list(outcome[0])

    def _commit(self, items: list[Arrival | Refusal]) -> list[Stored | None]:
        arrivals = [item for item in items if isinstance(item, Arrival)]
        refusals = [item for item in items if isinstance(item, Refusal)]
        with self._writing() as connection, transaction(connection):
            stored = iter(writing.append(connection, arrivals))
            _append_refusals(connection, refusals)
            version = connection.execute("PRAGMA data_version").fetchone()[0]
        results = [next(stored) if isinstance(item, Arrival) else None for item in items]
        if version != self._data_version:
            self._data_version = version
            self.on_foreign_change()
        if arrivals:
            self._changes.announce()
        return results

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """The writing connection, opened anew after a failure. One user at a time."""
        with self._lock, translated(self.path):
            self._check_place()
            if self._writer is None:
                self._writer = self._open()
            try:
                yield self._writer
            except BaseException:
                self._writer.close()
                self._writer = None
                raise

    def _check_place(self) -> None:
        # SQLite would go on writing into a file that nobody can find any more.
        if _identity(self.path) != self._identity:
            raise StoreError(
                f"The capture file {self.path} was moved, deleted or replaced while it was open. "
                "Put it back, or open a Lab on another path."
            )

    def delete(self, seqs: Sequence[int], progress: upkeep.Progress = upkeep.unwatched) -> int:
        """Delete deliveries for good, and vacuum. Returns how many there were."""
        with self._maintaining() as connection:
            return upkeep.delete(connection, seqs, progress)

    def derive_again(
        self,
        interpret: Callable[[Request], Interpretation],
        progress: upkeep.Progress = upkeep.unwatched,
    ) -> None:
        """Conclude the derived columns of all rows again, from their raw requests."""
        with self._maintaining() as connection:
            upkeep.derive_again(connection, interpret, self.head, progress)

    @contextlib.contextmanager
    def _maintaining(self) -> Iterator[Connection]:
        """A connection for long work, so that commits need not wait for all of it."""
        self._check_open()
        connection = connect(self.path, write=True)
        try:
            with translated(self.path):
                yield connection
        finally:
            connection.close()
            self._changes.announce()

    # Reading

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
        with self._readers_lock:
            if self._readers:
                return self._readers.pop()
        return connect(self.path, write=self._write)

    def _give_back(self, connection: Connection) -> None:
        with self._readers_lock:
            if not self._closed:
                self._readers.append(connection)
                return
        connection.close()

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

    def count(self) -> int:
        """How many deliveries the file holds."""
        with self.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM deliveries").fetchone()[0])

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
        query = f"SELECT seq FROM deliveries WHERE {where} ORDER BY seq DESC LIMIT ?"
        newest = connection.execute(query, (*parameters, max(last, 0))).fetchall()
        return newest[-1][0] - 1 if newest else writing.last_seq(connection)

    def items(self, connection: Connection, *, after: int = 0) -> list[tuple[Any, ...]]:
        """The events of batches: seq, item, type, id, entity type and id, time, version, body."""
        query = "SELECT * FROM items WHERE seq > ? ORDER BY seq, item"
        return connection.execute(query, (after,)).fetchall()

    def seqs_after(
        self, after: int, limit: int, where: str, parameters: Sequence[object]
    ) -> list[int]:
        """The first `limit` seqs above `after` whose rows match."""
        query = f"SELECT seq FROM deliveries WHERE seq > ? AND {where} ORDER BY seq LIMIT ?"
        with self.reading() as connection:
            rows = connection.execute(query, (after, *parameters, limit)).fetchall()
        return [row[0] for row in rows]

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
        return [_delivery(row) for row in rows]

    def refusals(self) -> list[tuple[int, int, str | None, int | None, str]]:
        """The requests that were not captured: id, time in us, remote, status, reason."""
        with self.reading() as connection:
            query = "SELECT id, refused_at, remote, status, reason FROM refusals ORDER BY id"
            return connection.execute(query).fetchall()

    def clear_refusals(self) -> None:
        """Forget the requests that were not captured."""
        with self._writing() as connection, transaction(connection):
            connection.execute("DELETE FROM refusals")

    # Waiting

    def wait_beyond(self, seq: int, timeout: float) -> int:
        """Wait until the highest `seq` is above this one, for at most `timeout` seconds.

        Returns the highest `seq`. Sees at once what this process stores, and within
        `ATTACHED_POLL_SECONDS` what others do.
        """
        deadline = clock.monotonic() + timeout
        while True:
            seen = self._changes.count
            head = self.head
            left = deadline - clock.monotonic()
            if head > seq or left <= 0 or self._committer is None:
                return head
            self._changes.wait(seen, min(left, ATTACHED_POLL_SECONDS))

    def wake(self) -> None:
        """Have everybody who waits look again."""
        self._changes.announce()

    # What the file remembers

    def remember(self, key: str, value: str) -> None:
        """Keep a setting in the file."""
        with self._writing() as connection, transaction(connection):
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        """A setting from the file; None when it has none."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def save_mapping(self, path: str, definition: str) -> None:
        """Keep a mapping (JSON) in the file, in place of an earlier one of the same path."""
        with self._writing() as connection, transaction(connection):
            connection.execute("INSERT OR REPLACE INTO mappings VALUES (?, ?)", (path, definition))

    def mappings(self) -> list[str]:
        """The mappings (JSON) that the file keeps."""
        with self.reading() as connection:
            rows = connection.execute("SELECT definition FROM mappings ORDER BY path").fetchall()
        return [row[0] for row in rows]

    # Closing

    def stop_writing(self) -> None:
        """Commit what was submitted, then take no more. Reading goes on."""
        committer, self._committer = self._committer, None
        if committer is not None:
            committer.stop()
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self._changes.announce()

    def close(self) -> None:
        """`stop_writing`, and let go of the file. Reading opens it again when asked."""
        self.stop_writing()
        self._closed = True
        with self._readers_lock:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def _check_open(self) -> None:
        if self._committer is None:
            raise ClosedError(f"The capture file {self.path} is closed: open the Lab again.")


def _nothing() -> None:
    """What happens where nobody cares."""


def _append_refusals(connection: Connection, refusals: Sequence[Refusal]) -> None:
    if not refusals:
        return
    connection.executemany(
        "INSERT INTO refusals (refused_at, remote, status, reason) VALUES (?, ?, ?, ?)",
        [(each.refused_at, each.remote, each.status, each.reason) for each in refusals],
    )
    connection.execute(
        "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", (MAX_LOG_ROWS,)
    )


def _delivery(row: Sequence[Any]) -> Delivery:
    values = dict(zip(("seq", *EVENT_COLUMNS), row, strict=True))
    for name, kind in EVENT_COLUMNS.items():
        if kind == "time" and values[name] is not None:
            values[name] = clock.to_datetime(values[name])
    return Delivery(**values)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
