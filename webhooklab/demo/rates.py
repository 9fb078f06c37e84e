"""The API's requests per minute: a fixed window, as most providers have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from webhooklab.clock import monotonic, now_us
from webhooklab.demo.defaults import RATE_WINDOW_SECONDS
from webhooklab.demo.faults import Dials


@dataclass(frozen=True)
class Allowance:
    """One request's answer. `reset_seconds`: until the window ends; `remaining` -1: refused."""

    limit: int
    remaining: int
    reset_seconds: float

    def headers(self) -> dict[str, str]:
        """X-RateLimit-Limit, -Remaining and -Reset (epoch seconds, as GitHub sends it)."""
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.remaining)),
            "X-RateLimit-Reset": str(math.ceil(now_us() / 1e6 + self.reset_seconds)),
        }
        if self.remaining < 0:
            headers["Retry-After"] = str(max(1, math.ceil(self.reset_seconds)))
        return headers


class RateWindow:
    """Counts requests in windows of one minute of the Shop (60 / speed seconds)."""

    def __init__(self, dials: Dials) -> None:
        self._dials = dials
        self._start = -math.inf
        self._used = 0

    def take(self) -> Allowance | None:
        """Count one request; None: there is no limit."""
        limit = self._dials.faults.rate_limit
        if limit is None:
            return None
        now, length = monotonic(), self._dials.scaled(RATE_WINDOW_SECONDS)
        if now - self._start >= length:
            self._start, self._used = now, 0
        self._used += 1
        return Allowance(limit, max(-1, limit - self._used), self._start + length - now)
