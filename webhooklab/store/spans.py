"""When deliveries could reach us, as rows: spans of time, each growing while somebody listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from webhooklab.defaults import LISTENING_BEAT_SECONDS
from webhooklab.store.connection import Connection

_NEAR_US: Final = round(LISTENING_BEAT_SECONDS * 1e6)

_INSERT: Final = "INSERT INTO listening (started_at, stopped_at) VALUES (?, ?)"
_SET: Final = "UPDATE listening SET started_at = ?, stopped_at = ? WHERE id = ?"

# The newest span may have lasted longer than was written down yet.
_TOUCHED: Final = """
    SELECT id, started_at, stopped_at FROM listening WHERE started_at <= ? AND (
        stopped_at >= ? OR id = (SELECT id FROM listening ORDER BY started_at DESC LIMIT 1)
    )
"""


def begin(connection: Connection, at: int) -> int:
    """Begin a span; returns its id. Times in us since the epoch."""
    span = connection.execute(_INSERT, (at, at)).lastrowid
    assert span is not None
    return span


def extend(connection: Connection, span: int, until: int) -> None:
    """The span has lasted until then, at least."""
    query = "UPDATE listening SET stopped_at = max(stopped_at, ?) WHERE id = ?"
    connection.execute(query, (until, span))


def cut(connection: Connection, received: Iterable[int]) -> None:
    """Take out the times when deliveries came that are no longer there: nothing is known of them.

    What comes after a cut keeps the id of its span, which may be growing.
    """
    for first, last in _runs(sorted(received)):
        for span, started, stopped in connection.execute(_TOUCHED, (last, first)).fetchall():
            if started < first:
                left = min(first, stopped)
                connection.execute(_INSERT, (started, left))
            connection.execute(_SET, (last + 1, max(stopped, last + 1), span))


def cut_before(connection: Connection, until: int) -> None:
    """Take out all up to this time: nothing is known of it any more. The newest span may grow."""
    newest = "(SELECT id FROM listening ORDER BY started_at DESC LIMIT 1)"
    query = f"DELETE FROM listening WHERE stopped_at <= ? AND id != {newest}"
    connection.execute(query, (until,))
    connection.execute(
        "UPDATE listening SET started_at = ?, stopped_at = max(stopped_at, ?) "
        "WHERE started_at <= ?",
        (until + 1, until + 1, until),
    )


def spans(connection: Connection) -> list[tuple[int, int, int]]:
    """Id, start and end of all spans, in the order of time."""
    query = "SELECT id, started_at, stopped_at FROM listening WHERE started_at < stopped_at"
    return connection.execute(f"{query} ORDER BY started_at, id").fetchall()


def _runs(times: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of those that follow each other closely."""
    start = 0
    for place in range(1, len(times) + 1):
        if place == len(times) or times[place] - times[place - 1] > _NEAR_US:
            yield times[start], times[place - 1]
            start = place
