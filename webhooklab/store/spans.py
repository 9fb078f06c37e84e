"""When deliveries could reach us, as rows: spans of time, each growing while somebody listens.

Deliveries that are deleted leave holes: nothing is known any more of when they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from webhooklab.defaults import LISTENING_BEAT_SECONDS
from webhooklab.store.connection import Connection

_NEAR_US: Final = round(LISTENING_BEAT_SECONDS * 1e6)

Span = tuple[int, int]


def begin(connection: Connection, at: int) -> int:
    """Begin a span; returns its id. Times in us since the epoch."""
    query = "INSERT INTO listening (started_at, stopped_at) VALUES (?, ?)"
    span = connection.execute(query, (at, at)).lastrowid
    assert span is not None
    return span


def extend(connection: Connection, span: int, until: int) -> None:
    """The span has lasted until then."""
    connection.execute("UPDATE listening SET stopped_at = ? WHERE id = ?", (until, span))


def cut(connection: Connection, received: Iterable[int]) -> None:
    """Take out the times when deliveries came that are no longer there."""
    connection.executemany("INSERT INTO holes VALUES (?, ?)", _runs(sorted(received)))


def cut_span(connection: Connection, first: int, last: int) -> None:
    """Take out this time, both ends included."""
    connection.execute("INSERT INTO holes VALUES (?, ?)", (first, last))


def cut_before(connection: Connection, until: int) -> None:
    """Take out all up to this time: one hole, in place of those within it."""
    connection.execute("DELETE FROM holes WHERE last_at <= ?", (until,))
    connection.execute("INSERT INTO holes VALUES (0, ?)", (until,))


def spans(connection: Connection) -> list[Span]:
    """Start and end of all spans, without the holes, in the order of time."""
    query = "SELECT started_at, stopped_at FROM listening ORDER BY started_at, stopped_at"
    found = connection.execute(query).fetchall()
    holes = connection.execute("SELECT first_at, last_at FROM holes ORDER BY first_at").fetchall()
    return [part for span in found for part in _parts(span, holes)]


def newest(connection: Connection) -> int | None:
    """The latest end of a span; None when there is no span."""
    latest: int | None = connection.execute("SELECT max(stopped_at) FROM listening").fetchone()[0]
    return latest


def _parts(span: Span, holes: Iterable[Span]) -> Iterator[Span]:
    """What is left of a span."""
    start, stop = span
    for first, last in holes:
        if last < start or first > stop:
            continue
        if start < first:
            yield start, first - 1
        start = last + 1
    if start < stop:
        yield start, stop


def _runs(times: list[int]) -> Iterator[Span]:
    """First and last of those that follow each other closely."""
    start = 0
    for place in range(1, len(times) + 1):
        if place == len(times) or times[place] - times[place - 1] > _NEAR_US:
            yield times[start], times[place - 1]
            start = place
