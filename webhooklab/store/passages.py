"""What relays handed on, as rows: so that what comes again is known, whenever that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from webhooklab.envelope import Passage
from webhooklab.store.connection import Connection

Key: TypeAlias = tuple[str, int | str]

_FIND: Final = "SELECT seq FROM passages WHERE channel = ? AND mark = ?"
_PASSED: Final = "SELECT 1 FROM channels WHERE channel = ? AND through >= ?"
_KEEP: Final = """
    INSERT INTO channels VALUES (?, ?)
    ON CONFLICT (channel) DO UPDATE SET through = max(through, excluded.through)
"""


def key_of(passage: Passage | None) -> Key | None:
    """By what a delivery is known again; None for one that came by no relay."""
    return None if passage is None else (passage.channel, passage.mark)


def known(connection: Connection, keys: Iterable[Key]) -> dict[Key, int]:
    """Those that have come before, with their `seq`; the newest of all where it is forgotten."""
    found = {}
    for key in keys:
        seq = _seq(connection, key)
        if seq is not None:
            found[key] = seq
    return found


def _seq(connection: Connection, key: Key) -> int | None:
    row = connection.execute(_FIND, key).fetchone()
    if row is not None:
        return int(row[0])
    if isinstance(key[1], int) and connection.execute(_PASSED, key).fetchone():
        newest = connection.execute("SELECT max(seq) FROM deliveries").fetchone()[0]
        return int(newest or 1)
    return None


def insert(connection: Connection, came: dict[Key, int]) -> None:
    """Remember what has come, inside the transaction of its deliveries."""
    rows = [(*key, seq) for key, seq in came.items()]
    connection.executemany("INSERT INTO passages VALUES (?, ?, ?)", rows)


def through(connection: Connection, channel: str) -> int:
    """Up to which number all of a channel has come; 0 when nothing has."""
    row = connection.execute(
        "SELECT through FROM channels WHERE channel = ?", (channel,)
    ).fetchone()
    reached = int(row[0]) if row else 0
    query = "SELECT mark FROM passages WHERE channel = ? AND mark > ? ORDER BY mark"
    for (mark,) in connection.execute(query, (channel, reached)):
        if mark != reached + 1:
            break
        reached += 1
    return reached


def settle(connection: Connection, channel: str, reached: int) -> None:
    """Nothing up to this number is to come any more: forget the marks of what did."""
    connection.execute(_KEEP, (channel, reached))
    connection.execute("DELETE FROM passages WHERE channel = ? AND mark < ?", (channel, reached))


def newest(connection: Connection, channel: str) -> int | str | None:
    """The mark that came last by a channel; None when none did, or all are settled."""
    query = "SELECT mark FROM passages WHERE channel = ? ORDER BY seq DESC LIMIT 1"
    row = connection.execute(query, (channel,)).fetchone()
    mark: int | str | None = row[0] if row else None
    return mark


def last_came(connection: Connection, channel: str) -> int | None:
    """When the newest delivery of a channel was received, in us; None when it is forgotten."""
    query = """
        SELECT received_at FROM deliveries WHERE seq = (
            SELECT max(seq) FROM passages WHERE channel = ?
        )
    """
    row = connection.execute(query, (channel,)).fetchone()
    return int(row[0]) if row else None


def forget_oldest(connection: Connection, channel: str, kept: int) -> None:
    """Forget the marks of a channel, but for the newest `kept`."""
    query = """
        DELETE FROM passages WHERE channel = ?1 AND seq <= (
            SELECT seq FROM passages WHERE channel = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2
        )
    """
    connection.execute(query, (channel, kept))
