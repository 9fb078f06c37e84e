"""Rate limits as servers tell them: how many requests are left, how long to wait. No I/O.

`Retry-After` (RFC 9110, 10.2.3), `RateLimit` and `RateLimit-*` (the drafts of
draft-ietf-httpapi-ratelimit-headers, old and new), `X-RateLimit-*` and `X-Rate-Limit-*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from webhooklab.clock import from_datetime
from webhooklab.instants import parse_instant

_PREFIXES: Final = ("ratelimit", "x-ratelimit", "x-rate-limit")
_EARLIEST_EPOCH_SECONDS: Final = 1_000_000_000
"""A smaller reset is a span in seconds; a larger one is an instant (2001 and later)."""
_SECOND_US: Final = 1_000_000
_remaining = re.compile(r"(?:^|[;,\s])(?:r|remaining)=\"?(\d{1,15})").search
_reset = re.compile(r"(?:^|[;,\s])(?:t|reset)=\"?(\d{1,15})").search
_number = re.compile(r"\s*(\d{1,15})").match


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an answer says about the next requests.

    `remaining` None: nothing. `wait_seconds`: no request before so long; 0.0: at once.
    """

    remaining: int | None = None
    wait_seconds: float = 0.0


def allowance(headers: Mapping[str, str], now_us: int) -> Allowance:
    """Read an answer's headers. `now_us`: our clock, used where the answer has no `Date`.

    The server's instants are held against the server's own clock. What cannot be read says
    nothing. A limit that is used up asks to wait until its reset.
    """
    now = http_date(headers.get("date")) or now_us
    limits = [*_fields(headers, now), *_draft(headers.get("ratelimit", ""))]
    waits = [wait for remaining, wait in limits if remaining == 0]
    waits.append(_retry_after(headers.get("retry-after"), now))
    left = min((remaining for remaining, _ in limits), default=None)
    return Allowance(left, max(0.0, *waits))


def http_date(text: str | None) -> int | None:
    """An HTTP date as microseconds since the epoch; None for what is none."""
    try:
        date: datetime = parsedate_to_datetime(text or "")
        return from_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _retry_after(text: str | None, now: int) -> float:
    if text is None:
        return 0.0
    if number := _number(text):
        return float(number[1])
    date = http_date(text)
    return 0.0 if date is None else (date - now) / _SECOND_US


def _fields(headers: Mapping[str, str], now: int) -> list[tuple[int, float]]:
    """Limits in a header each: (remaining, seconds to the reset)."""
    return [
        (int(number[1]), _until(headers.get(f"{prefix}-reset", ""), now))
        for prefix in _PREFIXES
        if (number := _number(headers.get(f"{prefix}-remaining", "")))
    ]


def _until(reset: str, now: int) -> float:
    number = _number(reset)
    if number and int(number[1]) < _EARLIEST_EPOCH_SECONDS and "-" not in reset:
        return float(number[1])
    instant = parse_instant(reset) or http_date(reset)
    return 0.0 if instant is None else (instant - now) / _SECOND_US


def _draft(header: str) -> list[tuple[int, float]]:
    """`"burst";r=0;t=1, "day";r=500;t=36000`, or the older `limit=100, remaining=50, reset=5`."""
    older = "remaining=" in header
    found = []
    for item in [header] if older else header.split(","):
        remaining, reset = _remaining(item), _reset(item)
        if remaining:
            found.append((int(remaining[1]), float(reset[1]) if reset else 0.0))
    return found
