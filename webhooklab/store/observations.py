"""What was pulled, as rows: pollers, their polls, the states they saw, and fetches.

A snapshot is `current` while it is the newest row of its entity. Its `last_seen_at` stays empty as
long as polls still show it, so that a poll that brings nothing new writes no snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from webhooklab.store.connection import Connection, Cursor

POLL_COLUMNS: Final = (
    *("poller", "url", "requested_at", "polled_at", "status", "elapsed_ms", "response_bytes"),
    *("request_count", "item_count", "changed", "not_modified", "complete", "rate_remaining"),
    *("server_date", "error"),
)
SNAPSHOT_COLUMNS: Final = (
    *("poller", "provider", "entity_type", "entity_id", "version", "not_seen_at", "polled_at"),
    *("last_seen_at", "state", "changed_fields", "deleted"),
)
FETCH_COLUMNS: Final = (
    *("seq", "item", "url", "fetched_at", "entity_type", "entity_id", "version", "status"),
    *("elapsed_ms", "attempts", "state", "superseded", "difference", "error"),
)

Row = Sequence[Any]
Rows = Cursor
"""Rows that are still to be read, a part at a time."""

_PROVED_AT: Final = """
    SELECT polls.requested_at FROM polls JOIN pollers ON pollers.name = polls.poller
    WHERE poller = ? AND complete AND polls.id >= first_poll ORDER BY polls.id DESC LIMIT 1
"""
_NEXT_POLL: Final = "(SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'polls')"

# What a current row's poller saw last: its newest complete poll, or the poll that wrote the row.
_LAST_SEEN: Final = """
    coalesce(snapshots.last_seen_at, max(
        (SELECT requested_at FROM polls AS own WHERE own.id = snapshots.poll),
        coalesce((
            SELECT requested_at FROM polls AS newer
            WHERE newer.poller = snapshots.poller AND complete AND newer.id >= snapshots.poll
            ORDER BY newer.id DESC LIMIT 1
        ), 0)
    ))
"""


def definition(connection: Connection, poller: str) -> tuple[str, str | None] | None:
    """How a poller was defined, and the shape of its answers; None when there was none."""
    query = "SELECT definition, shape FROM pollers WHERE name = ?"
    row = connection.execute(query, (poller,)).fetchone()
    return (row[0], row[1]) if row else None


def define(connection: Connection, poller: str, text: str) -> None:
    """Have a poller begin anew: what it saw before is history."""
    _close_rows(connection, poller, "1", ())
    connection.execute("UPDATE snapshots SET current = 0 WHERE poller = ? AND current", (poller,))
    connection.execute(
        f"INSERT OR REPLACE INTO pollers VALUES (?, ?, {_NEXT_POLL}, NULL)", (poller, text)
    )


def set_shape(connection: Connection, poller: str, shape: str) -> None:
    """Remember whether the answers are a list or one resource."""
    connection.execute("UPDATE pollers SET shape = ? WHERE name = ?", (shape, poller))


def proved_at(connection: Connection, poller: str) -> int | None:
    """When the newest complete poll of a poller began; None when there was none."""
    row = connection.execute(_PROVED_AT, (poller,)).fetchone()
    return row[0] if row else None


def known(connection: Connection, poller: str) -> list[tuple[str, bytes, int, int]]:
    """The current rows: entity id, fingerprint, whether deleted, whether no longer shown."""
    query = (
        "SELECT entity_id, fingerprint, deleted, last_seen_at IS NOT NULL FROM snapshots "
        "WHERE poller = ? AND current"
    )
    return connection.execute(query, (poller,)).fetchall()


def insert_poll(connection: Connection, row: Row) -> int:
    """Insert a poll (`POLL_COLUMNS`); returns its id."""
    cursor = connection.execute(_insert("polls", POLL_COLUMNS), tuple(row))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def current_state(
    connection: Connection, poller: str, entity_id: str
) -> tuple[str | None, int | None]:
    """State (JSON) and `last_seen_at`, if it is closed, of an entity's newest row.

    (None, None) when there is no row; no state when the entity was deleted.
    """
    query = (
        "SELECT state, last_seen_at FROM snapshots WHERE poller = ? AND entity_id = ? AND current"
    )
    row: tuple[str | None, int | None] | None = connection.execute(
        query, (poller, entity_id)
    ).fetchone()
    return row or (None, None)


def close_rows(connection: Connection, poller: str, entity_ids: Iterable[str]) -> None:
    """The current rows of these entities were seen for the last time, as far as one can tell."""
    ids = json.dumps(list(entity_ids))
    _close_rows(connection, poller, "entity_id IN (SELECT value FROM json_each(?))", (ids,))


def _close_rows(connection: Connection, poller: str, where: str, parameters: Row) -> None:
    connection.execute(
        f"UPDATE snapshots SET last_seen_at = {_LAST_SEEN} "
        f"WHERE poller = ? AND current AND {where}",
        (poller, *parameters),
    )


def reopen_rows(connection: Connection, poller: str, entity_ids: Iterable[str]) -> None:
    """The current rows of these entities are shown again, unchanged."""
    connection.execute(
        "UPDATE snapshots SET last_seen_at = NULL WHERE poller = ? AND current "
        "AND entity_id IN (SELECT value FROM json_each(?))",
        (poller, json.dumps(list(entity_ids))),
    )


def replace_rows(connection: Connection, poll: int, rows: Sequence[Row]) -> None:
    """Insert new current rows (`SNAPSHOT_COLUMNS` and the fingerprint) in place of older ones."""
    keys = [(row[0], row[3]) for row in rows]
    connection.executemany(
        "UPDATE snapshots SET current = 0 WHERE poller = ? AND entity_id = ? AND current", keys
    )
    connection.executemany(
        _insert("snapshots", (*SNAPSHOT_COLUMNS, "fingerprint", "poll", "current")),
        [(*row, poll, 1) for row in rows],
    )


def events_of(connection: Connection, seq: int) -> list[Row]:
    """The events of a delivery: item, type, entity type and id, version, content type, body.

    Those of a batch have the media type of JSON; [] when there is no such delivery.
    """
    query = (
        "SELECT item, event_type, entity_type, entity_id, version, 'application/json', body "
        "FROM items WHERE seq = ? ORDER BY item"
    )
    single = (
        "SELECT 0, event_type, entity_type, entity_id, version, content_type, body "
        "FROM deliveries JOIN raws USING (seq) WHERE seq = ? AND event_count > 0"
    )
    batch = connection.execute(query, (seq,)).fetchall()
    return batch or connection.execute(single, (seq,)).fetchall()


def insert_fetches(connection: Connection, fetcher: str, rows: Sequence[Row]) -> None:
    """Insert what fetches brought (`FETCH_COLUMNS`), for deliveries that are still there."""
    there = "SELECT 1 FROM deliveries WHERE seq = ?"
    kept = [row for row in rows if connection.execute(there, (row[0],)).fetchone()]
    connection.executemany(
        _insert("fetches", ("fetcher", *FETCH_COLUMNS)), [(fetcher, *row) for row in kept]
    )


def newest(connection: Connection) -> tuple[int, int]:
    """The ids of the newest poll and the newest fetch; 0 where there is none."""
    query = "SELECT (SELECT max(id) FROM polls), (SELECT max(id) FROM fetches)"
    poll, fetch = connection.execute(query).fetchone()
    return poll or 0, fetch or 0


def polls(connection: Connection, names: Sequence[str] = POLL_COLUMNS) -> Rows:
    """All polls, oldest first: id and some of `POLL_COLUMNS`."""
    return connection.execute(f"SELECT {', '.join(['id', *names])} FROM polls ORDER BY id")


def snapshots(connection: Connection, names: Sequence[str] = SNAPSHOT_COLUMNS) -> Rows:
    """All states that polls saw, oldest first: id and some of `SNAPSHOT_COLUMNS`."""
    columns = [_LAST_SEEN if name == "last_seen_at" else name for name in names]
    return connection.execute(f"SELECT {', '.join(['id', *columns])} FROM snapshots ORDER BY id")


def fetches(connection: Connection, names: Sequence[str] = FETCH_COLUMNS) -> Rows:
    """All fetches, in the order they were stored: id and some of `FETCH_COLUMNS`."""
    return connection.execute(f"SELECT {', '.join(['id', *names])} FROM fetches ORDER BY id")


def fetched_after(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """Id and delivery of the fetches after one, by their ids, oldest first: the newest so many."""
    query = "SELECT id, seq FROM fetches WHERE id > ? ORDER BY id DESC LIMIT ?"
    return connection.execute(query, (after, limit)).fetchall()[::-1]


def newest_fetch(connection: Connection) -> int:
    """The highest id of a fetch; 0 when there is none."""
    return connection.execute("SELECT max(id) FROM fetches").fetchone()[0] or 0


def fetches_of(connection: Connection, seq: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """How many fetches a delivery has, and the newest so many by column, the newest first.

    `fetcher` and `FETCH_COLUMNS`; of `state` the size in characters alone, with `id`.
    """
    names = ["id", "fetcher", *(name for name in FETCH_COLUMNS if name != "state")]
    count = connection.execute("SELECT count(*) FROM fetches WHERE seq = ?", (seq,)).fetchone()[0]
    query = (
        f"SELECT {', '.join(names)}, length(state) FROM fetches WHERE seq = ? "
        "ORDER BY id DESC LIMIT ?"
    )
    rows = connection.execute(query, (seq, limit)).fetchall()
    return count, [dict(zip([*names, "state_chars"], row, strict=True)) for row in rows]


def states(connection: Connection, table: Literal["snapshots", "fetches"], ids: Row) -> Rows:
    """Id and state (JSON) of some snapshots or fetches, in no order."""
    query = f"SELECT id, state FROM {table} WHERE id IN (SELECT value FROM json_each(?))"
    return connection.execute(query, (json.dumps(list(ids)),))


def forget_fetches(connection: Connection, seqs: Sequence[int]) -> None:
    """Delete what was fetched for these deliveries."""
    wanted = json.dumps(list(seqs))
    connection.execute(
        "DELETE FROM fetches WHERE seq IN (SELECT value FROM json_each(?))", (wanted,)
    )


def over(connection: Connection, before: int, limit: int) -> tuple[list[int], list[int]]:
    """Ids of polls, and of snapshots, that ended before a time (us) and nothing refers to.

    A poller goes on from the current snapshots, their polls and its newest complete poll.
    """
    states = "SELECT id FROM snapshots WHERE NOT current AND last_seen_at < ? ORDER BY id LIMIT ?"
    asked = """
        SELECT id FROM polls WHERE polled_at < ?
        AND id NOT IN (SELECT poll FROM snapshots WHERE current)
        AND id NOT IN (SELECT max(id) FROM polls WHERE complete GROUP BY poller)
        ORDER BY id LIMIT ?
    """
    found = (connection.execute(query, (before, limit)).fetchall() for query in (asked, states))
    polls, snapshots = ([row[0] for row in rows] for rows in found)
    return polls, snapshots


def drop(connection: Connection, polls: Sequence[int], snapshots: Sequence[int]) -> None:
    """Delete polls and snapshots, by their ids."""
    for table, ids in (("polls", polls), ("snapshots", snapshots)):
        query = f"DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?))"
        connection.execute(query, (json.dumps(list(ids)),))


def clear(connection: Connection) -> None:
    """Delete all that was pulled. Pollers that run must be stopped first."""
    for table in ("fetches", "snapshots", "polls", "pollers"):
        connection.execute(f"DELETE FROM {table}")


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
