"""Opening a capture file: whose it is, its settings, its permissions. The door to sqlite3."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from webhooklab import disks
from webhooklab.defaults import BUSY_TIMEOUT_SECONDS
from webhooklab.errors import (
    CaptureFileError,
    ForeignFileError,
    NewerFileError,
    StoreError,
)
from webhooklab.store.inherited import Opened, check_not_inherited, opened
from webhooklab.store.schema import APPLICATION_ID, STEPS, VERSION

Connection = sqlite3.Connection
Cursor = sqlite3.Cursor
TooBig = sqlite3.DataError
"""A value, or what a query puts together, is larger than SQLite handles."""
OWNER_ONLY: Final = 0o600

_HELP = {
    sqlite3.SQLITE_FULL: "The disk is full: free some space; capture goes on by itself.",
    sqlite3.SQLITE_BUSY: "Another process is writing to it: wait, or end that process.",
    sqlite3.SQLITE_READONLY: "It cannot be written: check its permissions and those of its folder.",
    sqlite3.SQLITE_IOERR: "The disk could not be read or written: check the disk.",
    sqlite3.SQLITE_CORRUPT: "It is damaged: keep a copy, and recover what can be read with "
    "`sqlite3 FILE .recover`.",
}
_HELP_WITHOUT_LOCKS: Final = (
    "The file system refuses locks, as a network file system may, so nobody can tell who writes: "
    "put the capture file on a local disk."
)
_MAY_BE_LOCKS: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL)
"""What SQLite says where locks are refused, according to how they are."""


def create(path: Path) -> None:
    """Make an empty file that only its owner can read, unless one is there."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY))
    except FileExistsError:
        if path.is_dir():
            raise CaptureFileError(f"{path} is a folder: name a file inside it.") from None
        if not path.is_file():
            raise CaptureFileError(f"{path} is not a regular file: choose another path.") from None
        if path.stat().st_size == 1:  # SQLite takes that for an empty database
            raise ForeignFileError(_foreign(path)) from None
    except OSError as error:
        raise CaptureFileError(
            f"The capture file {path} cannot be created: {error.strerror}. "
            "Choose a path in a folder that exists and that you can write to."
        ) from error


def connect(path: Path, *, write: bool = False) -> Connection:
    """A connection whose transactions are begun and ended by hand.

    A write is on disk when its commit returns (`synchronous=FULL`); what is deleted is
    overwritten (`secure_delete`), because captures hold personal data.
    """
    check_not_inherited(path)
    with translated(path):
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={'rw' if write else _reading_mode(path)}",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Opened,
        )
        opened.add(connection, path)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            # The file may be somebody else's: https://www.sqlite.org/security.html
            connection.execute("PRAGMA trusted_schema=OFF")
            if write and disks.on_network(path):
                # Not remembered by the file, unlike WAL; "delete" would cost a file a commit.
                connection.execute("PRAGMA journal_mode=TRUNCATE")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def _reading_mode(path: Path) -> str:
    """Where SQLite cannot make its `-shm` file, it reads a file that nobody has open as it is."""
    has_log = Path(f"{path}-wal").exists()
    return "ro" if has_log or os.access(path.parent, os.W_OK) else "ro&immutable=1"


def prepare(path: Path) -> None:
    """Make sure that the file is ours, and bring its tables up to date. Repeatable, atomic.

    It is first looked at without the right to write: what is not ours stays as it is.
    """
    with translated(path):
        with contextlib.closing(connect(path)) as connection:
            ready = steps_done(path, connection) == VERSION and _has_log(path, connection)
        _keep_private(path)
        if not ready:
            with contextlib.closing(connect(path, write=True)) as connection:
                # Before the first table, or it has no effect.
                connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.execute(f"PRAGMA journal_mode={_journal(path)}")
                with transaction(connection):
                    _upgrade(path, connection)


def _has_log(path: Path, connection: Connection) -> bool:
    """Whether the file has a write-ahead log, or, where there must be none, has none."""
    has = connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    return bool(has == (_journal(path) == "WAL"))


def _journal(path: Path) -> str:
    """A write-ahead log needs memory that is shared, which a network file system does not give.

    https://www.sqlite.org/wal.html#overview
    """
    return "TRUNCATE" if disks.on_network(path) else "WAL"


def _upgrade(path: Path, connection: Connection) -> None:
    for step in STEPS[steps_done(path, connection) :]:
        for statement in step.split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")


def _keep_private(path: Path) -> None:
    """Nobody but the owner reads the file, nor what SQLite keeps beside it.

    SQLite gives what it creates beside a file the permissions that the file has.
    """
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(f"{path}{suffix}").chmod(OWNER_ONLY)


def steps_done(path: Path, connection: Connection) -> int:
    """How many steps of the schema the file has been through; 0 for an empty file.

    Raises `ForeignFileError` or `NewerFileError` for a file that must not be touched.
    """
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    version = _number(connection, "PRAGMA user_version")
    application = _number(connection, "PRAGMA application_id")
    if not (tables or version or application):
        return 0
    if application != APPLICATION_ID:
        raise ForeignFileError(
            f"{path} is an SQLite database, but not a capture file. It was left untouched: "
            "choose another path."
        )
    if _number(connection, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"):
        raise ForeignFileError(
            f"{path} has triggers, which no capture file has: they could change or drop what is "
            "stored. It was left untouched: ask who gave it to you, or choose another path."
        )
    if version > VERSION:
        raise NewerFileError(
            f"{path} was written by a newer webhooklab (its format is {version}, this one knows "
            f"{VERSION}). It was left untouched: run `pip install -U webhooklab`."
        )
    return version


def _number(connection: Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _foreign(path: Path) -> str:
    return f"{path} is not a capture file. It was left untouched: choose another path."


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One write transaction: committed when the block ends, rolled back when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the disk into ours, with what to do about them.

    A value that SQLite cannot take is not among them: that is no fault of the file's.
    """
    try:
        yield
    except sqlite3.DataError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            raise ForeignFileError(_foreign(path)) from error
        if code == sqlite3.SQLITE_CANTOPEN:
            raise CaptureFileError(
                f"The capture file {path} cannot be opened: check that it exists and that its "
                "folder can be written to."
            ) from error
        raise StoreError(f"The capture file {path}: {error}. {_help(path, code)}".strip()) from (
            error
        )


def _help(path: Path, code: int) -> str:
    if code in _MAY_BE_LOCKS and disks.refuses_locks(path):
        return _HELP_WITHOUT_LOCKS
    return _HELP.get(code, "")
