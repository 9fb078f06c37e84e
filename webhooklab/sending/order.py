"""One order per entity: what is about the same goes out one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from webhooklab.sent import Wanted


class Order:
    """Who waits for whom. On one loop. `kept` False: nobody waits."""

    def __init__(self, *, kept: bool) -> None:
        self.held = 0
        """How many wait for those before them."""
        self._kept = kept
        self._last: dict[str, asyncio.Event] = {}

    def join(self, wanted: Wanted) -> AbstractAsyncContextManager[None]:
        """Stand in line now; a context that begins when it is this one's turn."""
        entities = wanted.entities if self._kept else ()
        before = [self._last[each] for each in entities if each in self._last]
        done = asyncio.Event()
        self._last.update(dict.fromkeys(entities, done))
        return self._turn(entities, before, done)

    @asynccontextmanager
    async def _turn(
        self, entities: tuple[str, ...], before: list[asyncio.Event], done: asyncio.Event
    ) -> AsyncIterator[None]:
        self.held += 1
        try:
            for each in before:
                await each.wait()
        finally:
            self.held -= 1
        try:
            yield
        finally:
            done.set()
            for entity in entities:
                if self._last.get(entity) is done:
                    del self._last[entity]
