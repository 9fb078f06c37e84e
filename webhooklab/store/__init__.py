"""The capture file: SQLite, one writer thread, as many readers as there are.

A delivery is stored when its group's commit has returned: `kill -9` after that loses nothing.
"""

from __future__ import annotations

import contextlib
import logging
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from webhooklab import clock
from webhooklab.defaults import (
    ATTACHED_POLL_SECONDS,
    DROP_CHUNK_BYTES,
    DROP_CHUNK_ROWS,
    MAX_COMMIT_ROWS,
)
from webhooklab.errors import CaptureFileError, ClosedError, ForeignFileError, StoreError
from webhooklab.measures import Durations
from webhooklab.records import Arrival, Interpretation, Request
from webhooklab.signatures import Verification
from webhooklab.store import dropping, observations, upkeep, writing
from webhooklab.store.changes import Changes
from webhooklab.store.committer import Committer
from webhooklab.store.connection import Connection, connect, steps_done, translated
from webhooklab.store.dropping import Dropped
from webhooklab.store.reader import Reader
from webhooklab.store.reading import Chunk
from webhooklab.store.writer import Writer
from webhooklab.store.writing import Amendment, Refusal, Repeated, Stored

__all__ = [
    "Amendment",
    "Chunk",
    "Connection",
    "Outcome",
    "Refusal",
    "Repeated",
    "Store",
    "Stored",
]

logger = logging.getLogger(__name__)

Item: TypeAlias = Arrival | Refusal | Amendment
Outcome: TypeAlias = Stored | Repeated | CaptureFileError | None
"""What became of what was submitted: of an arrival a `Stored`, or a `Repeated` where a relay had
handed it on before; None of all else; or an error."""
Done: TypeAlias = Callable[[Sequence[Outcome]], object]


class Store(Reader):
    """A capture file, open for reading and writing from any thread.

    `write=False` reads a file without creating, changing or preparing it.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        if not write:
            _check_readable(path)
        super().__init__(path)
        self._changes = Changes()
        self._wakes = 0
        self.on_foreign_change: Callable[[], object] = _nothing
        """Called on the store's thread when another connection has written to the file."""
        self._writer = Writer(path) if write else None
        self.commits = Durations()
        """How long the last commits took."""
        self._committer = Committer(self._timed_commit, limit=MAX_COMMIT_ROWS) if write else None

    # Writing

    def submit(self, items: Sequence[Item], done: Done) -> None:
        """Have arrivals, refusals and amendments stored with the next commit.

        `done` is called on the store's thread, with an `Outcome` for each.
        """
        if self._committer is None or not self._committer.submit(items, done):
            done([StoreError(self._closed_message())] * len(items))

    def append(self, items: Sequence[Item]) -> list[Stored | Repeated | None]:
        """`submit`, and wait for the commit. Raises `CaptureFileError` if one was not stored.

        Without items: returns when all that was submitted before has been committed.
        """
        answer: queue.SimpleQueue[Sequence[Outcome]] = queue.SimpleQueue()
        self.submit(items, answer.put)
        stored = []
        for outcome in answer.get():
            if isinstance(outcome, CaptureFileError):
                raise outcome
            stored.append(outcome)
        return stored

    def amend(self, seq: int, status: int | None) -> None:
        """Say what a delivery's sender got, and wait for the commit. None: it has left.

        Raises `CaptureFileError`.
        """
        self.append([Amendment(seq, status)])

    @property
    def waiting(self) -> int:
        """How many have been submitted and are not committed yet."""
        return 0 if self._committer is None else self._committer.waiting

    def _timed_commit(self, items: list[Item]) -> list[Stored | Repeated | None]:
        begun = clock.monotonic()
        try:
            return self._commit(items)
        finally:
            self.commits.add(clock.monotonic() - begun)

    def _commit(self, items: list[Item]) -> list[Stored | Repeated | None]:
        arrivals = [item for item in items if isinstance(item, Arrival)]
        with self._writing().transaction() as connection:
            stored = iter(writing.append(connection, arrivals))
            if len(arrivals) < len(items):
                _write_others(connection, items)
            foreign_change = self._writing().others_wrote(connection)
        if foreign_change:
            self._tell_of_foreign_change()
        if arrivals:
            self._changes.announce()
        return [next(stored) if isinstance(item, Arrival) else None for item in items]

    def _tell_of_foreign_change(self) -> None:
        try:
            self.on_foreign_change()
        except Exception:  # what was committed is committed: its senders must be told so
            logger.exception("what another process changed in %s could not be read", self.path)

    def delete(self, seqs: Sequence[int], progress: upkeep.Progress = upkeep.unwatched) -> int:
        """Delete deliveries for good, and vacuum. Returns how many there were."""
        try:
            return upkeep.delete(self._writing(), seqs, progress)
        finally:
            self._changes.announce()

    def drop_oldest(
        self, most: int, *, before: int | None = None, size: int = DROP_CHUNK_BYTES
    ) -> Dropped | None:
        """Drop a bounded part of the oldest deliveries; returns it, None when there is none.

        At most `most` of them, stored before `before` (us; None: whenever), to make room for about
        `size` bytes. Their `seq` is not given again, and readers go on: it counts as no change of
        the rows that stay.
        """
        with self.reading() as connection:
            part = dropping.oldest(connection, most, before, size)
        if part is not None:
            with self._writing().transaction() as connection:
                dropping.drop(connection, part)
        return part

    def drop_pulled(self, before: int) -> bool:
        """Drop some of the polls and snapshots that ended before a time (us); False: none did."""
        with self.reading() as connection:
            polls, snapshots = observations.over(connection, before, DROP_CHUNK_ROWS)
        if polls or snapshots:
            with self._writing().transaction() as connection:
                observations.drop(connection, polls, snapshots)
        return bool(polls or snapshots)

    def compact(self) -> int:
        """Give free space back to the disk; returns how many bytes."""
        return upkeep.compact(self._writing())

    def derive_again(
        self,
        interpret: Callable[[Request], Interpretation],
        progress: upkeep.Progress = upkeep.unwatched,
    ) -> None:
        """Conclude the derived columns of all rows again, from their raw requests."""
        writer = self._writing()
        try:
            with translated(self.path), contextlib.closing(connect(self.path)) as reader:
                upkeep.derive_again(reader, writer, interpret, self.head, progress)
        finally:
            self._changes.announce()

    def verify_again(
        self,
        verify: Callable[[Request], Verification | None],
        progress: upkeep.Progress = upkeep.unwatched,
    ) -> int:
        """Set the verdicts of rows anew, None leaves one as it is; returns how many were set."""
        writer = self._writing()
        try:
            with translated(self.path), contextlib.closing(connect(self.path)) as reader:
                return upkeep.verify_again(reader, writer, verify, self.head, progress)
        finally:
            self._changes.announce()

    def clear_refusals(self) -> None:
        """Forget the requests that were not captured."""
        with self._writing().transaction() as connection:
            connection.execute("DELETE FROM refusals")

    def remember(self, key: str, value: str) -> None:
        """Keep a setting in the file."""
        with self._writing().transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def save_mapping(self, path: str, definition: str) -> None:
        """Keep a mapping (JSON) in the file, in place of an earlier one of the same path."""
        with self._writing().transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO mappings VALUES (?, ?)", (path, definition))

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        with self._writing().transaction() as connection:
            yield connection

    def _writing(self) -> Writer:
        if self._writer is None:
            raise ClosedError(self._closed_message())
        return self._writer

    def _closed_message(self) -> str:
        return f"The capture file {self.path} is not open for writing: open a Lab on it."

    def _forked(self) -> None:
        """In a forked child nothing is committed, and nobody may wait for that."""
        super()._forked()
        self._committer = self._writer = None
        self._changes = Changes()

    # Waiting

    @property
    def writable(self) -> bool:
        """Whether it is open for writing. When it is not, nothing that waits is told of rows."""
        return self._committer is not None

    def wait_beyond(self, seq: int, timeout: float) -> int:
        """Wait until the highest `seq` is above this one, for at most `timeout` seconds.

        Returns the highest `seq`. Sees at once what this process stores, and within
        `ATTACHED_POLL_SECONDS` what others do. Returns earlier when `wake` is called, and does
        not wait once the store is closed.
        """
        deadline = clock.monotonic() + timeout
        wakes = self._wakes
        while True:
            seen = self._changes.count
            head = self.head
            left = deadline - clock.monotonic()
            if head > seq or left <= 0 or self._wakes != wakes or not self.writable:
                return head
            self._changes.wait(seen, min(left, ATTACHED_POLL_SECONDS))

    def wake(self) -> None:
        """Have everybody who waits look up, whether there are rows or not."""
        self._wakes += 1
        self._changes.announce()

    # Closing

    def close(self) -> None:
        """Commit what was submitted, and let go of the file. Reading opens it again when asked."""
        committer, self._committer = self._committer, None
        if committer is not None:
            committer.stop()
        if self._writer is not None:
            self._writer.close()
        self._changes.announce()
        self._close_idle()


def _write_others(connection: Connection, items: Sequence[Item]) -> None:
    writing.append_refusals(connection, [each for each in items if isinstance(each, Refusal)])
    writing.amend(connection, [each for each in items if isinstance(each, Amendment)])


def _check_readable(path: Path) -> None:
    with translated(path), contextlib.closing(connect(path)) as connection:
        if steps_done(path, connection) == 0:
            raise ForeignFileError(f"{path} is empty: it is not a capture file.")


def _nothing() -> None:
    """What happens where nobody cares."""
