"""How much may be on its way to readers at one time, so that a relay's memory is bounded."""

from __future__ import annotations

import asyncio

from webhooklab.relay.limits import FRAMES_IN_FLIGHT_BYTES


class Budget:
    """So many bytes at one time, for all; one that wants more than there is waits for it all."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._freed = asyncio.Condition()

    async def take(self, size: int) -> int:
        """Wait for so many bytes; what to give back."""
        size = min(size, self._size)
        async with self._freed:
            await self._freed.wait_for(lambda: self._left >= size)
            self._left -= size
        return size

    async def give(self, size: int) -> None:
        """Give bytes back."""
        async with self._freed:
            self._left += size
            self._freed.notify_all()


def new_budget() -> Budget:
    """For all readers of a relay."""
    return Budget(FRAMES_IN_FLIGHT_BYTES)
