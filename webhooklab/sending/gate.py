"""When a target may be asked: not while it asks to wait, nor by all at once while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webhooklab import clock
from webhooklab.sending.limits import Retry
from webhooklab.sending.outcomes import Outcome


class Gate:
    """What all tries at one target pass. On one loop.

    While the target takes no connection, one at a time looks whether it does.
    """

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._open_at = 0.0  # monotonic
        self._failures = 0
        self._one = asyncio.Lock()

    @property
    def closed_seconds(self) -> float:
        """How long it stays closed from now on; 0.0: it is open."""
        return max(0.0, self._open_at - clock.monotonic())

    @property
    def unreachable(self) -> bool:
        """Whether the target took no connection when it was last asked."""
        return self._failures > 0

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Wait for leave to try."""
        if self._failures:
            async with self._one:
                await self._opened()
                yield
        else:
            await self._opened()
            yield

    async def _opened(self) -> None:
        if wait := self.closed_seconds:
            await asyncio.sleep(wait)
            await self._opened()  # it may have been closed for longer meanwhile

    def learn(self, outcome: Outcome) -> None:
        """Open or close, by what came of a try."""
        if not outcome.unreachable:
            self._failures = 0
            self._hold(min(outcome.wait_seconds, self._retry.max_wait_seconds))
        elif not self.closed_seconds:  # others have failed at the same time: that counts once
            self._failures += 1
            self._hold(self._retry.look_again(self._failures))

    def _hold(self, seconds: float) -> None:
        if seconds > 0:
            self._open_at = max(self._open_at, clock.monotonic() + seconds)
