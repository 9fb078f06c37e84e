"""Opening a relay's file: whose it is, its settings, its permissions. The door to sqlite3."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from webhooklab.defaults import BUSY_TIMEOUT_SECONDS
from webhooklab.errors import RelayError, StoreError
from webhooklab.relay.server.schema import APPLICATION_ID, STEPS

Connection = sqlite3.Connection
_OWNER_ONLY: Final = 0o600


def opened(path: Path) -> Connection:
    """A connection to a relay's file, made and brought up to date where needed.

    A write is on disk when its commit returns, and what is deleted is overwritten. Raises
    `RelayError` for a file that is something else, or cannot be used.
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ONLY))
        connection = _connected(path)
    except (OSError, sqlite3.Error) as error:
        raise RelayError(
            f"The relay's file {path} cannot be used: {error}. Name one in a folder that exists, "
            "on a local disk, and that this user can write to."
        ) from error
    return connection


def _connected(path: Path) -> Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _check(path, connection)
        # Before the first table, or it has no effect.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        _upgrade(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: Path, connection: Connection) -> None:
    if path.stat().st_size == 1:  # SQLite takes that for an empty database
        raise _foreign(path)
    tables = number(connection, "SELECT count(*) FROM sqlite_master")
    if tables and number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise _foreign(path)
    if number(connection, "PRAGMA user_version") > len(STEPS):
        raise RelayError(f"{path} was written by a newer webhooklab: install that one.")


def _foreign(path: Path) -> RelayError:
    return RelayError(f"{path} is not a relay's file. It was left untouched: name another.")


def _upgrade(connection: Connection) -> None:
    done = number(connection, "PRAGMA user_version")
    if done == len(STEPS):
        return
    with transaction(connection):
        for step in STEPS[done:]:
            for statement in step.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(STEPS)}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")


def number(connection: Connection, query: str, *values: Any) -> int:
    """The one number that a query yields; 0 for NULL."""
    return int(connection.execute(query, values).fetchone()[0] or 0)


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """One transaction: committed when the block ends, rolled back when it raises.

    What goes wrong with the file or the disk is raised as `StoreError`.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreError(f"The relay's file cannot be written: {error}.") from error


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """What goes wrong with reading the file is raised as `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"The relay's file cannot be read: {error}.") from error
