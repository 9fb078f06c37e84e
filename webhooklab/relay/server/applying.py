"""Applying changes to a relay's file: one step of a transaction each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from webhooklab.relay.limits import DROP_ROWS
from webhooklab.relay.server.changes import (
    Acknowledge,
    Became,
    Begin,
    Change,
    Drop,
    Dropped,
    GiveUp,
    Make,
    Post,
    Refused,
)
from webhooklab.relay.server.database import Connection, number
from webhooklab.relay.server.keys import hashed
from webhooklab.relay.server.settings import Settings


@dataclass(slots=True)
class Totals:
    """Of the whole file: channels, and what is not acknowledged."""

    channels: int = 0
    queued: int = 0
    queued_bytes: int = 0

    @classmethod
    def of(cls, connection: Connection) -> Totals:
        """As they are in the file."""
        query = "SELECT count(*), sum(queued), sum(queued_bytes) FROM channel"
        return cls(*(int(each or 0) for each in connection.execute(query).fetchone()))


class Changes:
    """Applies changes, inside a transaction of the caller's, and keeps the totals."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings
        self.totals = Totals.of(connection)

    def reread(self) -> None:
        """A transaction was undone: the totals are those of the file."""
        self.totals = Totals.of(self._connection)

    def apply(self, change: Change) -> Became:
        """Make one change; what became of it."""
        step: Callable[[Changes, Any], Became] = _STEPS[type(change)]
        return step(self, change)

    def _make(self, make: Make) -> Became:
        of_address = "SELECT count(*) FROM channel WHERE address = ?"
        if (
            self.totals.channels >= self._settings.channels
            or number(self._connection, of_address, make.address)
            >= self._settings.channels_per_address
        ):
            return Refused.TOO_MANY
        cursor = self._connection.execute(
            "INSERT INTO channel (name, token_hash, key_hash, sealed_token, address, read_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(make.keys.name, hashed(make.keys.token), hashed(make.keys.key)),
                *(make.keys.sealed_token, make.address, make.at),
            ),
        )
        self.totals.channels += 1
        return cursor.lastrowid

    def _post(self, post: Post) -> Became:
        if self.totals.queued_bytes + post.size > self._settings.total_bytes:
            return Refused.FULL
        found = self._connection.execute(
            "UPDATE channel SET head = head + 1, queued = queued + 1, "
            "queued_bytes = queued_bytes + ?1 WHERE id = ?2 AND queued < ?3 "
            "AND queued_bytes + ?1 <= ?4 RETURNING head",
            (post.size, post.channel, self._settings.queue_rows, self._settings.queue_bytes),
        ).fetchall()
        if not found:
            there = "SELECT count(*) FROM channel WHERE id = ?"
            return Refused.FULL if number(self._connection, there, post.channel) else Refused.GONE
        self._connection.execute(
            "INSERT INTO delivery (channel, sequence, received_at, bytes, head, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (post.channel, found[0][0], post.received_at, post.size, post.head, post.body),
        )
        self._count(1, post.size)
        return int(found[0][0])

    def _count(self, rows: int, size: int) -> None:
        self.totals.queued += rows
        self.totals.queued_bytes += size

    def _acknowledge(self, ack: Acknowledge) -> Became:
        self._take_off(ack.channel, ack.sequence)
        self._connection.execute(
            "INSERT INTO acknowledged (at, channel, sequence) VALUES (?, ?, ?)",
            (ack.at, ack.channel, ack.sequence),
        )
        return None

    def _take_off(self, channel: int, sequence: int) -> None:
        """Count what is up to this sequence as no longer queued."""
        rows, size = self._connection.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM delivery WHERE channel = ?1 "
            "AND sequence > (SELECT acked FROM channel WHERE id = ?1) AND sequence <= ?2",
            (channel, sequence),
        ).fetchone()
        self._connection.execute(
            "UPDATE channel SET queued = queued - ?, queued_bytes = queued_bytes - ?, "
            "acked = max(acked, ?) WHERE id = ?",
            (rows, size, sequence, channel),
        )
        self._count(-rows, -size)

    def _begin(self, begin: Begin) -> Became:
        found = self._connection.execute(
            "UPDATE channel SET read_at = ? WHERE id = ? RETURNING head, acked",
            (begin.at, begin.channel),
        ).fetchone()
        if found is None:
            return Refused.GONE
        head, acked = found
        if begin.after > head:
            return self._renumber(begin, head, acked)
        if begin.after > acked:
            self._acknowledge(Acknowledge(begin.channel, begin.after, begin.at))
        return int(head)

    def _renumber(self, begin: Begin, head: int, acked: int) -> int:
        """The reader has seen more than was ever given: the file is an older copy of itself.

        What is queued gets sequences that the reader has not seen, so that it takes it.
        """
        shift = begin.after - acked
        where = "WHERE channel = ? AND sequence"
        for query, values in (
            (f"DELETE FROM delivery {where} <= ?", (begin.channel, acked)),
            # In two steps: no two may be the same in between.
            (f"UPDATE delivery SET sequence = -sequence - ? {where} > 0", (shift, begin.channel)),
            (f"UPDATE delivery SET sequence = -sequence {where} < 0", (begin.channel,)),
            ("DELETE FROM acknowledged WHERE channel = ?", (begin.channel,)),
            (
                "UPDATE channel SET head = head + ?, acked = ? WHERE id = ?",
                (shift, begin.after, begin.channel),
            ),
        ):
            self._connection.execute(query, values)
        return head + shift

    def _give_up(self, give_up: GiveUp) -> Became:
        gone = self._connection.execute(
            "DELETE FROM channel WHERE id = ? RETURNING head, queued, queued_bytes",
            (give_up.channel,),
        ).fetchall()
        for head, queued, queued_bytes in gone:
            self.totals.channels -= 1
            self._count(-queued, -queued_bytes)
            self._connection.execute(
                "INSERT INTO acknowledged (at, channel, sequence) VALUES (0, ?, ?)",
                (give_up.channel, head),
            )
        return None

    def _drop(self, drop: Drop) -> Became:
        for channel in drop.read:
            self._connection.execute(
                "UPDATE channel SET read_at = ? WHERE id = ?", (drop.at, channel)
            )
        given_up = self._give_up_idle(drop.at - int(self._settings.channel_idle_seconds * 1e6))
        dropped = self._drop_unread(drop.at - int(self._settings.kept_seconds * 1e6))
        acknowledged_before = drop.at - int(self._settings.acknowledged_seconds * 1e6)
        dropped += self._drop_acknowledged(acknowledged_before)
        return Dropped(given_up, dropped >= DROP_ROWS or len(given_up) == DROP_ROWS)

    def _give_up_idle(self, before: int) -> list[int]:
        query = "SELECT id FROM channel WHERE read_at < ? LIMIT ?"
        idle = [each[0] for each in self._connection.execute(query, (before, DROP_ROWS))]
        for channel in idle:
            self._give_up(GiveUp(channel))
        return idle

    def _drop_unread(self, before: int) -> int:
        """What is too old, read or not. Its reader sees the gap."""
        old = self._connection.execute(
            "SELECT channel, max(sequence) FROM (SELECT channel, sequence FROM delivery "
            "WHERE received_at < ? ORDER BY received_at LIMIT ?) GROUP BY channel",
            (before, DROP_ROWS),
        ).fetchall()
        dropped = 0
        for channel, sequence in old:
            self._take_off(channel, sequence)
            dropped += self._delete(channel, sequence, DROP_ROWS)
        return dropped

    def _drop_acknowledged(self, before: int) -> int:
        acks = self._connection.execute(
            "SELECT id, channel, sequence FROM acknowledged WHERE at < ? ORDER BY id LIMIT ?",
            (before, DROP_ROWS),
        ).fetchall()
        dropped = 0
        for ack, channel, sequence in acks:
            dropped += self._delete(channel, sequence, DROP_ROWS - dropped)
            if dropped >= DROP_ROWS:
                return dropped
            self._connection.execute("DELETE FROM acknowledged WHERE id = ?", (ack,))
        return max(dropped, len(acks))

    def _delete(self, channel: int, sequence: int, limit: int) -> int:
        """Delete some of what is up to this sequence, the oldest first; how many."""
        return self._connection.execute(
            "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE channel = ? "
            "AND sequence <= ? ORDER BY sequence LIMIT ?)",
            (channel, sequence, limit),
        ).rowcount


_STEPS: Final[dict[type[Change], Callable[[Changes, Any], Became]]] = {
    Make: Changes._make,
    Post: Changes._post,  # noqa: SLF001
    Acknowledge: Changes._acknowledge,  # noqa: SLF001
    Begin: Changes._begin,  # noqa: SLF001
    GiveUp: Changes._give_up,  # noqa: SLF001
    Drop: Changes._drop,  # noqa: SLF001
}
