"""The only reader of the wall clock. Instants are whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now_us() -> int:
    """The present, in microseconds since the epoch."""
    return time.time_ns() // 1000


def monotonic() -> float:
    """Seconds on a clock that never goes back, for timeouts."""
    return time.monotonic()


def to_datetime(instant_us: int) -> datetime:
    """Microseconds since the epoch as an aware UTC datetime. Exact, unlike a float."""
    return EPOCH + timedelta(microseconds=instant_us)


def from_datetime(instant: datetime) -> int:
    """A datetime as microseconds since the epoch; a naive one is read as UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


def pause(seconds: float) -> None:
    """Let the calling thread rest."""
    time.sleep(seconds)
