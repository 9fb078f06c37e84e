"""Whether our clock differs from those that we hear from. Only what is certain counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from webhooklab.sources import IMPORTED, RECOVERED
from webhooklab.store.connection import Connection

_SECOND_US: Final = 1_000_000

# An HTTP date is cut to the second: the server's clock showed up to a second more.
_POLLS: Final = """
    SELECT requested_at - server_date - ?, polled_at - server_date FROM polls
    WHERE server_date IS NOT NULL ORDER BY id DESC LIMIT 10
"""
# What has occurred was received later: what seems to be earlier shows a clock that is behind.
_DELIVERIES: Final = f"""
    SELECT -?, received_at - occurred_at FROM deliveries
    WHERE seq > (SELECT max(seq) FROM deliveries) - 100 AND occurred_at IS NOT NULL
    AND source NOT IN ('{IMPORTED}', '{RECOVERED}') ORDER BY seq DESC LIMIT 10
"""
_NO_BOUND: Final = 2**62


def skew(connection: Connection) -> int | None:
    """How far our clock is ahead, at least, in us; negative: behind. None: nobody tells.

    0: not certainly either. Where one of the newest tells that there is none, there is none: a
    cache may answer with an old date, and one server's clock may be wrong.
    """
    bounds = list(_bounds(connection))
    if not bounds:
        return None
    ahead = min(least for least, _ in bounds)
    behind = max(most for _, most in bounds)
    return max(ahead, 0) or min(behind, 0)


def _bounds(connection: Connection) -> Iterator[tuple[int, int]]:
    """What each says: ours is ahead by at least, and by at most, so much."""
    yield from connection.execute(_POLLS, (_SECOND_US,))
    yield from connection.execute(_DELIVERIES, (_NO_BOUND,))
