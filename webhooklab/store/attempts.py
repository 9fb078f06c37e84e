"""What is sent on, as rows: how far each forward is, and its tries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from webhooklab.store.connection import Connection, Cursor

COLUMNS: Final = (
    *("sender", "seq", "given_seq", "target", "attempt", "started_at", "elapsed_ms", "status"),
    *("error", "response_headers_json", "response_body", "final"),
)
_WANTED: Final = """
    SELECT seq, json_array(provider, entity_type, entity_id), entity_id IS NOT NULL, event_count
    FROM deliveries WHERE seq > ? AND seq <= ? AND {where} ORDER BY seq LIMIT ?
"""
_ENTITIES: Final = """
    SELECT DISTINCT json_array(provider, items.entity_type, items.entity_id)
    FROM items JOIN deliveries USING (seq) WHERE seq = ? AND items.entity_id IS NOT NULL
"""


def insert(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Insert tries (`COLUMNS`), but for deliveries that were deleted meanwhile."""
    there = "SELECT 1 FROM deliveries WHERE seq = ?"
    kept = [row for row in rows if row[1] is None or connection.execute(there, row[1:2]).fetchone()]
    marks = ", ".join("?" * len(COLUMNS))
    query = f"INSERT INTO attempts ({', '.join(COLUMNS)}) VALUES ({marks})"
    connection.executemany(query, kept)


def attempts(connection: Connection, names: Sequence[str], sender: str | None = None) -> Cursor:
    """All tries, or those of one sender, as they were stored: id and some columns.

    Of one sender, `seq` is as it was given, also where it is of another file.
    """
    if sender is None:
        return connection.execute(f"SELECT {', '.join(['id', *names])} FROM attempts ORDER BY id")
    columns = ["given_seq" if name == "seq" else name for name in names]
    query = f"SELECT {', '.join(['id', *columns])} FROM attempts WHERE sender = ? ORDER BY id"
    return connection.execute(query, (sender,))


def reached(connection: Connection, forward: str) -> int | None:
    """Up to which `seq` a forward has nothing more to do; None when it was never set."""
    query = "SELECT reached FROM forwards WHERE name = ?"
    row = connection.execute(query, (forward,)).fetchone()
    return int(row[0]) if row else None


def reach(connection: Connection, forward: str, seq: int) -> None:
    """A forward has nothing more to do up to this `seq`."""
    connection.execute("INSERT OR REPLACE INTO forwards VALUES (?, ?)", (forward, seq))


def leave(connection: Connection, forward: str) -> None:
    """Forget how far a forward is."""
    connection.execute("DELETE FROM forwards WHERE name = ?", (forward,))


def tried(connection: Connection, sender: str, after: int) -> list[tuple[int, int, int]]:
    """What was tried above a `seq`: each `seq` with its last try, and whether that is final."""
    query = (
        "SELECT seq, max(attempt), max(final) FROM attempts WHERE sender = ? AND seq > ? "
        "GROUP BY seq"
    )
    return connection.execute(query, (sender, after)).fetchall()


def wanted(
    connection: Connection,
    after: int,
    through: int,
    limit: int,
    condition: tuple[str, Sequence[Any]],
) -> list[tuple[int, tuple[str, ...]]]:
    """The first deliveries above `after` that match (SQL), each `seq` with what it is about."""
    where, parameters = condition
    query = _WANTED.format(where=f"({where})")
    rows = connection.execute(query, (after, through, *parameters, limit)).fetchall()
    return [(seq, _entities(connection, seq, *told)) for seq, *told in rows]


def _entities(
    connection: Connection, seq: int, entity: str, has_one: int, count: int
) -> tuple[str, ...]:
    if has_one:
        return (entity,)
    if count < 2:
        return ()
    return tuple(row[0] for row in connection.execute(_ENTITIES, (seq,)))


def has(connection: Connection, seq: int, received_at: int | None) -> bool:
    """Whether there is such a delivery; `received_at` (us) None: at any time."""
    query = "SELECT 1 FROM deliveries WHERE seq = ? AND received_at = coalesce(?, received_at)"
    return connection.execute(query, (seq, received_at)).fetchone() is not None


def newest(connection: Connection) -> int:
    """The highest id of a try; 0 when there is none."""
    return connection.execute("SELECT max(id) FROM attempts").fetchone()[0] or 0


def attempted_after(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """Id and delivery of the tries after one, by their ids, oldest first: the newest so many."""
    query = "SELECT id, seq FROM attempts WHERE id > ? AND seq IS NOT NULL ORDER BY id DESC LIMIT ?"
    return connection.execute(query, (after, limit)).fetchall()[::-1]


def attempts_of(connection: Connection, seq: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """How many tries a delivery has, and the newest so many by column, with `id`, newest first."""
    names = ("id", *(name for name in COLUMNS if name not in ("seq", "given_seq")))
    count = connection.execute("SELECT count(*) FROM attempts WHERE seq = ?", (seq,)).fetchone()[0]
    query = f"SELECT {', '.join(names)} FROM attempts WHERE seq = ? ORDER BY id DESC LIMIT ?"
    rows = connection.execute(query, (seq, limit)).fetchall()
    return count, [dict(zip(names, row, strict=True)) for row in rows]


def forget(connection: Connection, seqs: Sequence[int]) -> None:
    """Delete the tries to send these deliveries on."""
    connection.execute(
        "DELETE FROM attempts WHERE seq IN (SELECT value FROM json_each(?))",
        (json.dumps(list(seqs)),),
    )


def clear(connection: Connection) -> None:
    """Delete all tries, and how far forwards are. Those that run must be stopped first."""
    connection.execute("DELETE FROM attempts")
    connection.execute("DELETE FROM forwards")
