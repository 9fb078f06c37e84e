"""What changes rows that are there: deleting, and deriving columns again from the raw requests.

In short transactions with rests between them, so that capture goes on meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import orjson

from webhooklab import clock
from webhooklab.defaults import (
    BUSY_TIMEOUT_SECONDS,
    CHECKPOINT_WAIT_SECONDS,
    MAINTENANCE_CHUNK_BYTES,
    MAINTENANCE_CHUNK_PAGES,
    MAINTENANCE_CHUNK_ROWS,
    MAINTENANCE_REST_SECONDS,
)
from webhooklab.errors import StoreError
from webhooklab.headers import Headers
from webhooklab.records import Interpretation, Request
from webhooklab.signatures import Verification
from webhooklab.sources import RECOVERED
from webhooklab.store import spans
from webhooklab.store.connection import Connection
from webhooklab.store.writer import Writer
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

_SET_VERDICT: Final = "UPDATE deliveries SET verified = ?, verified_reason = ? WHERE seq = ?"

_SELECT_SIZES: Final = """
    SELECT seq, body_bytes FROM deliveries
    WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq
"""

_SELECT_TIMES: Final = """
    SELECT received_at FROM deliveries WHERE seq IN (SELECT value FROM json_each(?))
"""

# What was made from a poll has no request of a provider that could be read again.
_SELECT_REQUESTS: Final = f"""
    SELECT seq, received_at, source, method, target, headers_json, body, remote, path, query_string
    FROM deliveries JOIN raws USING (seq) WHERE seq > ? AND seq <= ?
    AND source != '{RECOVERED}' ORDER BY seq
"""

Progress = Callable[[int], object]
"""Told how many more rows are done."""

Interpret = Callable[[Request], Interpretation]
Derived = tuple[int, Interpretation]
Verify = Callable[[Request], Verification | None]
"""None: leave the verdict as it is."""
Concluded = TypeVar("Concluded")


def unwatched(rows: int) -> None:
    """The progress that nobody looks at."""


def bump_revision(connection: Connection) -> None:
    """Note that rows have changed which readers may have seen already."""
    connection.execute(
        "INSERT INTO meta VALUES ('revision', '1') "
        "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


@contextlib.contextmanager
def _chunk(writer: Writer) -> Iterator[Connection]:
    """One short transaction, and a rest that is as long: whoever waits to write comes in then."""
    with writer.transaction() as connection:
        started = clock.monotonic()
        yield connection
    clock.pause(min(clock.monotonic() - started, MAINTENANCE_REST_SECONDS))


# Deleting


def delete(writer: Writer, seqs: Sequence[int], progress: Progress) -> int:
    """Delete deliveries with all that belongs to them; returns how many there were."""
    deleted = 0
    for start in range(0, len(seqs), MAINTENANCE_CHUNK_ROWS):
        wanted = seqs[start : start + MAINTENANCE_CHUNK_ROWS]
        with writer.alone() as connection:
            sizes = connection.execute(_SELECT_SIZES, (_json(wanted),)).fetchall()
        for part in _light_parts(sizes):
            with _chunk(writer) as connection:
                deleted += _delete_rows(connection, part)
        progress(len(wanted))
    _vacuum(writer)
    _empty_log(writer)
    return deleted


def _light_parts(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """The seqs in groups whose bodies together are not too large for one transaction."""
    part: list[int] = []
    total = 0
    for seq, body_bytes in sizes:
        if part and total + body_bytes > MAINTENANCE_CHUNK_BYTES:
            yield part
            part, total = [], 0
        part.append(seq)
        total += body_bytes
    if part:
        yield part


def _delete_rows(connection: Connection, seqs: Sequence[int]) -> int:
    bump_revision(connection)
    spans.cut(connection, [each for (each,) in connection.execute(_SELECT_TIMES, (_json(seqs),))])
    for table in ("raws", "items", "deliveries"):
        query = f"DELETE FROM {table} WHERE seq IN (SELECT value FROM json_each(?))"
        deleted = connection.execute(query, (_json(seqs),)).rowcount
    return deleted


def _json(seqs: Sequence[int]) -> str:
    return orjson.dumps(list(seqs)).decode()


def compact(writer: Writer) -> int:
    """Give free pages back to the disk; returns how many bytes. The log is emptied if it can be."""
    with writer.alone() as connection:
        free, size = _free_pages(connection), _page_bytes(connection)
    _vacuum(writer)
    _checkpoint(writer)
    with writer.alone() as connection:
        return (free - _free_pages(connection)) * size


def _page_bytes(connection: Connection) -> int:
    return int(connection.execute("PRAGMA page_size").fetchone()[0])


def _vacuum(writer: Writer) -> None:
    """Give the free pages back to the disk."""
    while True:
        with writer.alone() as connection:
            before = _free_pages(connection)
            # `execute` would stop after the first page; a script is run to its end.
            connection.executescript(f"PRAGMA incremental_vacuum({MAINTENANCE_CHUNK_PAGES})")
            free = _free_pages(connection)
        if free in (0, before):
            return
        clock.pause(MAINTENANCE_REST_SECONDS)


def _free_pages(connection: Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def _empty_log(writer: Writer) -> None:
    """Empty the write-ahead log, which still has the old content."""
    deadline = clock.monotonic() + CHECKPOINT_WAIT_SECONDS
    while not _checkpoint(writer):
        if clock.monotonic() > deadline:
            raise StoreError(
                "The deliveries are deleted, but their bytes are still in the write-ahead log, "
                "because somebody is reading the file. Delete again when that has ended."
            )
        clock.pause(MAINTENANCE_REST_SECONDS)


def _checkpoint(writer: Writer) -> bool:
    # Not to wait for readers in here is what lets commits go on.
    with writer.alone() as connection:
        connection.execute("PRAGMA busy_timeout=0")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}")
    return not busy


# Deriving


def derive_again(
    reader: Connection, writer: Writer, interpret: Interpret, last: int, progress: Progress
) -> None:
    """Conclude the derived columns of all rows up to `last` again, from the raw requests."""
    seq = 0
    while derived := _some(reader, interpret, seq, last):
        seq = derived[-1][0]
        with _chunk(writer) as connection:
            _update(connection, derived)
        progress(len(derived))
    for first in range(1, last + 1, MAINTENANCE_CHUNK_ROWS):
        with _chunk(writer) as connection:
            bump_revision(connection)
            final = min(first + MAINTENANCE_CHUNK_ROWS - 1, last)
            connection.execute(_LINK_DUPLICATES, (first, final))


def verify_again(
    reader: Connection, writer: Writer, verify: Verify, last: int, progress: Progress
) -> int:
    """Set the verdict of all rows up to `last` that `verify` has one for; returns how many."""
    seq = judged = 0
    while found := _some(reader, verify, seq, last):
        seq = found[-1][0]
        verdicts = [(verdict.status, verdict.reason, at) for at, verdict in found if verdict]
        with _chunk(writer) as connection:
            bump_revision(connection)
            connection.executemany(_SET_VERDICT, verdicts)
        judged += len(verdicts)
        progress(len(found))
    return judged


def _some(
    reader: Connection, conclude: Callable[[Request], Concluded], after: int, last: int
) -> list[tuple[int, Concluded]]:
    """What is concluded of the next rows, of bounded number and size. Nobody has to wait."""
    found: list[tuple[int, Concluded]] = []
    total = 0
    with contextlib.closing(reader.execute(_SELECT_REQUESTS, (after, last))) as rows:
        for row in rows:
            request = _request(row)
            found.append((row[0], conclude(request)))
            total += len(request.body)
            if len(found) == MAINTENANCE_CHUNK_ROWS or total > MAINTENANCE_CHUNK_BYTES:
                break
    return found


def _request(row: Sequence[Any]) -> Request:
    _, received_at, source, method, target, headers_json, body, remote, path, query = row
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
    return request


def _update(connection: Connection, derived: Sequence[Derived]) -> None:
    bump_revision(connection)
    for seq, interpretation in derived:
        connection.execute("DELETE FROM items WHERE seq = ?", (seq,))
        if connection.execute(_UPDATE, (*derived_row(interpretation), seq)).rowcount:
            insert_items(connection, seq, interpretation.items)
