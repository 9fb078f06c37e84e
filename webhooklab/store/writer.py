"""The connection that writes: one per process, used by one thread at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from webhooklab.errors import ClosedError, StoreError
from webhooklab.store.connection import (
    Connection,
    connect,
    create,
    prepare,
    transaction,
    translated,
)


class Writer:
    """Writes to a capture file, which it creates or brings up to date first. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._closed = False
        self._data_version = -1
        create(path)
        self._connection: Connection | None = self._open()
        self._identity = _identity(path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        with self.alone() as connection, transaction(connection):
            yield connection

    @contextlib.contextmanager
    def alone(self) -> Iterator[Connection]:
        """The connection, for what must not be in a transaction. Opened anew after a failure."""
        with self._lock, translated(self._path):
            connection = self._usable()
            try:
                yield connection
            except BaseException:
                self._drop()
                raise

    def others_wrote(self, connection: Connection) -> bool:
        """Whether another connection has changed the file since this was last asked."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        before, self._data_version = self._data_version, version
        return bool(version != before)

    def close(self) -> None:
        """Let go of the file, for good. Repeatable."""
        with self._lock:
            self._closed = True
            self._drop()

    def _usable(self) -> Connection:
        if self._closed:
            raise ClosedError(f"The capture file {self._path} is closed: open the Lab again.")
        # SQLite would go on writing into a file that nobody can find any more.
        if _identity(self._path) != self._identity:
            raise StoreError(
                f"The capture file {self._path} was moved, deleted or replaced while it was open. "
                "Put it back, or open a Lab on another path."
            )
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        self._data_version = -1
        prepare(self._path)
        return connect(self._path, write=True)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
