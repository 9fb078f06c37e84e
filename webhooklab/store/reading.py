"""Rows leave the file by column, in chunks: the shape that frames and exports are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from webhooklab.records import EVENT_COLUMNS
from webhooklab.store.connection import Connection, TooBig
from webhooklab.store.schema import AMENDED_SINCE

CHUNK_ROWS: Final = 20_000
CHUNK_BYTES: Final = 64 * 2**20
_RAW: Final = ("headers_json", "body")

Chunk = dict[str, list[Any]]
"""Column name to values; `seq` is always there. Times are in microseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Amendments:
    """Rows whose `status` has changed since they were committed; `seqs` go up.

    `last` is the number of the last change: the next ones are those after it.
    """

    last: int
    seqs: Sequence[int]
    statuses: Sequence[int | None]


def amendments(connection: Connection, after: int) -> Amendments:
    """The changes after the number `after`. Call it inside one transaction."""
    if not _has_amendments(connection):
        return Amendments(0, (), ())
    # "+": or SQLite reads all rows in their order, rather than the few by their index.
    query = "SELECT seq, status, amended FROM deliveries WHERE amended > ? ORDER BY +seq"
    rows = connection.execute(query, (after,)).fetchall()
    if not rows:
        return Amendments(after, (), ())
    seqs, statuses, numbers = zip(*rows, strict=True)
    return Amendments(max(numbers), seqs, statuses)


def last_amendment(connection: Connection) -> int:
    """The number of the last change; 0 when there was none."""
    if not _has_amendments(connection):
        return 0
    query = "SELECT amended FROM deliveries WHERE amended IS NOT NULL ORDER BY amended DESC LIMIT 1"
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _has_amendments(connection: Connection) -> bool:
    """Whether the file was written by a version that knows of them: a reader changes no file."""
    steps = connection.execute("PRAGMA user_version").fetchone()[0]
    return bool(steps >= AMENDED_SINCE)


def chunks(
    connection: Connection,
    columns: Sequence[str] = tuple(EVENT_COLUMNS),
    *,
    after: int = 0,
    where: str = "1",
    parameters: Sequence[object] = (),
) -> Iterator[Chunk]:
    """The rows with `seq > after` that match, oldest first. Call it inside one transaction."""
    light = [name for name in columns if name not in _RAW]
    heavy = [name for name in _RAW if name in columns]
    is_last = False
    while not is_last:
        chunk, is_last = _light_chunk(connection, light, after, where, parameters)
        if chunk["seq"]:
            after = chunk["seq"][-1]
            yield from _with_raws(connection, heavy, chunk)


def _with_raws(connection: Connection, heavy: Sequence[str], chunk: Chunk) -> Iterator[Chunk]:
    if not heavy:
        yield chunk
        return
    for part in _parts(chunk):
        yield part | _heavy_chunk(connection, heavy, part["seq"])


def _light_chunk(
    connection: Connection,
    columns: Sequence[str],
    after: int,
    where: str,
    parameters: Sequence[Any],
) -> tuple[Chunk, bool]:
    """The next rows, and whether they are the last: to look for more can take as long again."""
    limit = CHUNK_ROWS
    while True:
        try:
            chunk = _columns(connection, columns, where, (after, *parameters, limit))
            return chunk, len(chunk["seq"]) < limit
        except TooBig:  # somebody has sent very long texts: fewer rows at a time, then
            if limit == 1:
                raise
            limit //= 2


def _columns(
    connection: Connection, columns: Sequence[str], where: str, parameters: Sequence[Any]
) -> Chunk:
    # One JSON array a column: SQLite writes it and orjson reads it several times faster than
    # Python builds a tuple for each row and takes it apart again.
    wanted = ["seq", "body_bytes", *(name for name in columns if name != "body_bytes")]
    arrays = ",".join(f"json_group_array({name})" for name in wanted)
    query = (
        f"SELECT {arrays} FROM (SELECT {','.join(wanted)} FROM deliveries "
        f"WHERE seq > ? AND ({where}) ORDER BY seq LIMIT ?)"
    )
    row = connection.execute(query, parameters).fetchone()
    return {name: orjson.loads(text) for name, text in zip(wanted, row, strict=True)}


def _parts(chunk: Chunk) -> Iterator[Chunk]:
    """Split a chunk where its bodies together would take too much memory."""
    start = total = 0
    for stop, body_bytes in enumerate(chunk["body_bytes"]):
        total += body_bytes
        if total > CHUNK_BYTES and stop > start:
            yield {name: values[start:stop] for name, values in chunk.items()}
            start, total = stop, body_bytes
    yield {name: values[start:] for name, values in chunk.items()} if start else chunk


def _heavy_chunk(connection: Connection, columns: Sequence[str], seqs: list[int]) -> Chunk:
    names = ",".join(columns)
    if seqs[-1] - seqs[0] == len(seqs) - 1:  # no gaps: one walk along the table
        query = f"SELECT {names} FROM raws WHERE seq BETWEEN ? AND ? ORDER BY seq"
        rows = connection.execute(query, (seqs[0], seqs[-1])).fetchall()
    else:
        query = (
            f"SELECT {names} FROM raws WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
        )
        rows = connection.execute(query, (orjson.dumps(seqs).decode(),)).fetchall()
    return dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
