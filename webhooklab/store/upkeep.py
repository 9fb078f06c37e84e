"""What changes rows that are there: deleting, and deriving columns again from the raw requests.

In short transactions, so that capture goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import orjson

from webhooklab.defaults import CHECKPOINT_WAIT_SECONDS, MAINTENANCE_CHUNK_ROWS
from webhooklab.headers import Headers
from webhooklab.records import Interpretation, Request
from webhooklab.store.connection import Connection, transaction
from webhooklab.store.writing import DERIVED, derived_row, insert_items

_UPDATE: Final = (
    f"UPDATE deliveries SET {', '.join(f'{name} = ?' for name in DERIVED)} WHERE seq = ?"
)

_LINK_DUPLICATES: Final = """
    UPDATE deliveries SET duplicate_of = (
        SELECT nullif(min(first.seq), deliveries.seq) FROM deliveries AS first
        WHERE first.event_key = deliveries.event_key AND first.event_key IS NOT NULL
    ) WHERE seq BETWEEN ? AND ?
"""

_SELECT_REQUESTS: Final = """
    SELECT seq, received_at, source, method, target, headers_json, body, remote, path, query_string
    FROM deliveries JOIN raws USING (seq) WHERE seq BETWEEN ? AND ?
"""

Progress = Callable[[int], object]
"""Told how many more rows are done."""


def unwatched(rows: int) -> None:
    """The progress that nobody looks at."""


def bump_revision(connection: Connection) -> None:
    """Note that rows have changed which readers may have seen already."""
    connection.execute(
        "INSERT INTO meta VALUES ('revision', '1') "
        "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


def delete(connection: Connection, seqs: Sequence[int], progress: Progress) -> int:
    """Delete deliveries with all that belongs to them; returns how many there were."""
    deleted = 0
    for start in range(0, len(seqs), MAINTENANCE_CHUNK_ROWS):
        part = orjson.dumps(seqs[start : start + MAINTENANCE_CHUNK_ROWS]).decode()
        with transaction(connection):
            bump_revision(connection)
            for table in ("raws", "items", "deliveries"):
                cursor = connection.execute(
                    f"DELETE FROM {table} WHERE seq IN (SELECT value FROM json_each(?))", (part,)
                )
            deleted += cursor.rowcount
        progress(len(seqs[start : start + MAINTENANCE_CHUNK_ROWS]))
    _shrink(connection)
    return deleted


def _shrink(connection: Connection) -> None:
    """Give the free pages back and empty the write-ahead log, which still has the old content."""
    connection.execute("PRAGMA incremental_vacuum").fetchall()
    connection.execute(f"PRAGMA busy_timeout={int(CHECKPOINT_WAIT_SECONDS * 1000)}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def derive_again(
    connection: Connection,
    interpret: Callable[[Request], Interpretation],
    last: int,
    progress: Progress,
) -> None:
    """Conclude the derived columns of all rows up to `last` again, from the raw requests."""
    for first, final in _ranges(last):
        with transaction(connection):
            rows = connection.execute(_SELECT_REQUESTS, (first, final)).fetchall()
            bump_revision(connection)
            for row in rows:
                _derive_row(connection, interpret, row)
        progress(len(rows))
    for first, final in _ranges(last):
        with transaction(connection):
            bump_revision(connection)
            connection.execute(_LINK_DUPLICATES, (first, final))


def _ranges(last: int) -> Iterator[tuple[int, int]]:
    for first in range(1, last + 1, MAINTENANCE_CHUNK_ROWS):
        yield first, min(first + MAINTENANCE_CHUNK_ROWS - 1, last)


def _derive_row(
    connection: Connection,
    interpret: Callable[[Request], Interpretation],
    row: Sequence[Any],
) -> None:
    seq, received_at, source, method, target, headers_json, body, remote, path, query = row
    request = Request(
        received_at=received_at,
        method=method,
        target=target,
        headers=Headers.from_json(headers_json),
        body=body,
        source=source,
        remote=remote,
    )
    request.path, request.query_string = path, query
    interpretation = interpret(request)
    connection.execute(_UPDATE, (*derived_row(interpretation), seq))
    connection.execute("DELETE FROM items WHERE seq = ?", (seq,))
    insert_items(connection, seq, interpretation.items)
