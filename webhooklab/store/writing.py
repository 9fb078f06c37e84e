"""Arrivals become rows: `seq`, `duplicate_of`, and the tables they go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson

from webhooklab import clock
from webhooklab.defaults import MAX_LOG_ROWS
from webhooklab.records import Arrival, Event, Interpretation
from webhooklab.store import passages
from webhooklab.store.connection import Connection

DERIVED: Final = (
    "provider",
    "event_type",
    "event_id",
    "entity_type",
    "entity_id",
    "occurred_at",
    "version",
    "event_count",
    "event_key",
)
"""The columns that are concluded from the raw request, and can be concluded again."""

_COLUMNS: Final = (
    "seq",
    "received_at",
    "stored_at",
    "source",
    "method",
    "path",
    "query_string",
    *DERIVED,
    "verified",
    "verified_reason",
    "duplicate_of",
    "content_type",
    "body_bytes",
    "remote",
    "status",
)


_RAW_COLUMNS: Final = ("seq", "target", "headers_json", "body")
_ITEM_COLUMNS: Final = (
    *("seq", "item", "event_type", "event_id", "entity_type", "entity_id"),
    *("occurred_at", "version", "body"),
)
_MOST_ROWS_AT_ONCE: Final = 64
_AMEND: Final = """
    UPDATE deliveries SET status = ?, amended = 1 + coalesce((
        SELECT amended FROM deliveries WHERE amended IS NOT NULL ORDER BY amended DESC LIMIT 1
    ), 0) WHERE seq = ?
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store adds to an arrival. `stored_at` is in microseconds since the epoch."""

    arrival: Arrival
    seq: int
    stored_at: int
    duplicate_of: int | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """An arrival by a relay that had come before, as `seq`, and was not stored again."""

    seq: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What went wrong with a request: a row of `lab.log`. `status` None: it got no answer."""

    refused_at: int
    remote: str | None
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """What became known of a delivery after its commit: the status that its sender gets.

    None: it gets none, because it has left.
    """

    seq: int
    status: int | None


def amend(connection: Connection, amendments: Sequence[Amendment]) -> None:
    """Change rows, and number the changes. Those that have been deleted are left out."""
    connection.executemany(_AMEND, [(each.status, each.seq) for each in amendments])


def append_refusals(connection: Connection, refusals: Sequence[Refusal]) -> None:
    """Insert refusals, and forget the oldest where there are too many."""
    if not refusals:
        return
    connection.executemany(
        "INSERT INTO refusals (refused_at, remote, status, reason) VALUES (?, ?, ?, ?)",
        [(each.refused_at, each.remote, each.status, each.reason) for each in refusals],
    )
    connection.execute(
        "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", (MAX_LOG_ROWS,)
    )


def append(connection: Connection, arrivals: Sequence[Arrival]) -> list[Stored | Repeated]:
    """Insert arrivals, in order, inside the caller's transaction."""
    if not any(arrival.request.passage for arrival in arrivals):
        return list(_append(connection, arrivals))
    keys = [passages.key_of(arrival.request.passage) for arrival in arrivals]
    known = passages.known(connection, {key for key in keys if key is not None})
    fresh = _first_of_each(keys, set(known))
    stored = dict(zip(fresh, _append(connection, [arrivals[at] for at in fresh]), strict=True))
    came = {key: made.seq for at, made in stored.items() if (key := keys[at]) is not None}
    passages.insert(connection, came)
    repeated = {at: Repeated((known | came)[key]) for at, key in enumerate(keys) if key is not None}
    return [stored.get(at) or repeated[at] for at in range(len(arrivals))]


def _first_of_each(keys: Sequence[passages.Key | None], known: set[passages.Key]) -> list[int]:
    """Where those stand that are to be stored: without a key, or the first of one not known."""
    found = []
    for at, key in enumerate(keys):
        if key is None or key not in known:
            found.append(at)
        if key is not None:
            known.add(key)
    return found


def _append(connection: Connection, arrivals: Sequence[Arrival]) -> list[Stored]:
    seq = last_seq(connection)
    keys = [storable(arrival.interpretation.event_key) for arrival in arrivals]
    first_seqs = _first_seqs(connection, [key for key in keys if key is not None])
    stored_at = clock.now_us()
    stored = []
    for arrival, key in zip(arrivals, keys, strict=True):
        seq += 1
        first = first_seqs.setdefault(key, seq) if key is not None else seq
        stored.append(Stored(arrival, seq, stored_at, first if first != seq else None))
    rows = [_delivery_row(each, key) for each, key in zip(stored, keys, strict=True)]
    _insert(connection, "deliveries", _COLUMNS, rows)
    _insert(connection, "raws", _RAW_COLUMNS, [_raw_row(each) for each in stored])
    for each in stored:
        insert_items(connection, each.seq, each.arrival.interpretation.items)
    return stored


def last_seq(connection: Connection) -> int:
    """The highest `seq` ever given, deleted ones included; 0 when there was none."""
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'"
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _first_seqs(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    if not keys:
        return {}
    # One look into the index for each: an event that was delivered a million times costs no more.
    query = (
        "SELECT value, (SELECT min(seq) FROM deliveries WHERE event_key = value) FROM json_each(?)"
    )
    found = connection.execute(query, (orjson.dumps(keys).decode(),)).fetchall()
    return {key: seq for key, seq in found if seq is not None}


def insert_items(connection: Connection, seq: int, items: Sequence[Event]) -> None:
    """Insert the single events of a batch."""
    rows = [(seq, number, *_event_row(item), item.body) for number, item in enumerate(items)]
    _insert(connection, "items", _ITEM_COLUMNS, rows)


def _insert(
    connection: Connection, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows, several by one statement.

    For each statement the thread lets go of the interpreter and waits until it has it again, which
    takes longer than the row itself while the listener is busy.
    """
    start = 0
    while start < len(rows):
        count = _at_once(len(rows) - start)
        values = [value for row in rows[start : start + count] for value in row]
        connection.execute(_statement(table, columns, count), values)
        start += count


def _at_once(count: int) -> int:
    """A power of two, so that a few statements serve for any number of rows, and stay prepared."""
    return min(1 << (count.bit_length() - 1), _MOST_ROWS_AT_ONCE)


@cache
def _statement(table: str, columns: tuple[str, ...], count: int) -> str:
    marks = f"({','.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([marks] * count)}"


def _delivery_row(stored: Stored, key: str | None) -> tuple[Any, ...]:
    arrival, request = stored.arrival, stored.arrival.request
    return (
        stored.seq,
        request.received_at,
        stored.stored_at,
        request.source,
        request.method,
        request.path,
        request.query_string,
        *_derived_row(arrival.interpretation, key),
        arrival.verification.status,
        arrival.verification.reason,
        stored.duplicate_of,
        request.content_type,
        len(request.body),
        request.remote,
        arrival.status,
    )


def derived_row(interpretation: Interpretation) -> tuple[Any, ...]:
    """The values of the columns `DERIVED`."""
    return _derived_row(interpretation, storable(interpretation.event_key))


def _derived_row(interpretation: Interpretation, key: str | None) -> tuple[Any, ...]:
    return (
        interpretation.provider,
        *_event_row(interpretation.event or Event()),
        interpretation.event_count,
        key,
    )


def _event_row(event: Event) -> tuple[Any, ...]:
    return (
        storable(event.event_type),
        storable(event.event_id),
        storable(event.entity_type),
        storable(event.entity_id),
        event.occurred_at,
        storable(event.version),
    )


def _raw_row(stored: Stored) -> tuple[int, str, str, bytes]:
    request = stored.arrival.request
    return (stored.seq, request.target, request.headers.to_json(), request.body)


def storable(text: str | None) -> str | None:
    """Text without lone surrogates, which JSON can spell and UTF-8 cannot; "?" in their place."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
