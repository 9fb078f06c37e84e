"""The connection that writes: one per process, used by one thread at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from webhooklab import forks
from webhooklab.errors import ClosedError, StoreError
from webhooklab.store.connection import (
    Connection,
    connect,
    create,
    prepare,
    transaction,
    translated,
)
from webhooklab.store.inherited import Identity, check_not_inherited, identity


class Writer:
    """Writes to a capture file, which it creates or brings up to date first. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        forks.hold_back(self._lock)  # a transaction is never half in a child
        self._closed = False
        self._data_version = -1
        self._log_path = Path(f"{path}-wal")
        self._log: Identity | None = None
        create(path)
        self._connection: Connection | None = self._open()
        self._identity = identity(path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        with self.alone() as connection, transaction(connection):
            yield connection

    @contextlib.contextmanager
    def alone(self) -> Iterator[Connection]:
        """The connection, for what must not be in a transaction. Opened anew after a failure."""
        check_not_inherited(self._path)
        with self._lock, translated(self._path):
            connection = self._usable()
            try:
                yield connection
            except BaseException:
                self._drop()
                raise
            if self._log is None:
                self._log = identity(self._log_path)

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
        if identity(self._path) != self._identity:
            raise StoreError(
                f"The capture file {self._path} was moved, deleted or replaced while it was open. "
                "Put it back, or open a Lab on another path."
            )
        if self._connection is None:
            self._connection = self._open()
        if self._log is not None and identity(self._log_path) != self._log:
            self._rescue(self._connection)
        return self._connection

    def _rescue(self, connection: Connection) -> None:
        """The write-ahead log was taken away: save what is in it, and acknowledge nothing more.

        SQLite would go on writing into it, and the next process would not find it.
        """
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        raise StoreError(
            f"The write-ahead log {self._log_path} was moved or deleted while it was open. What "
            "was captured is kept; nothing more can be stored until this Lab is closed and opened "
            "again."
        )

    def _open(self) -> Connection:
        self._data_version = -1
        self._log = None
        prepare(self._path)
        return connect(self._path, write=True)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
