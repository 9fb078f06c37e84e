"""When deliveries could reach us: written down while a listener lives.

Nothing that a poll saw can be called missed without it, so a span ends too early rather than too
late: with the last heartbeat before a crash, before the machine slept or stood still, and before a
request that was not kept. What a span covers has come in: every request of that time was stored.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from webhooklab.background import BackgroundLoop
from webhooklab.defaults import LISTENING_BEAT_SECONDS, LISTENING_STALL_SECONDS
from webhooklab.errors import CaptureFileError
from webhooklab.store import Store, spans

logger = logging.getLogger(__name__)

TRUSTED_US: Final = round((LISTENING_BEAT_SECONDS + LISTENING_STALL_SECONDS) * 1e6)
"""Who was heard of so long ago at most still listens."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a listener says of itself. Times in us since the epoch.

    `at`: when its loop turned. `until`: what came before is stored, or among the `lost`: how many
    requests were not kept so far, of which any may have been an event.
    """

    at: int
    until: int
    lost: int


class Heartbeat:
    """Writes down, again and again, that a listener can be reached.

    `reach` asks it, and returns when it has answered. `every`: seconds between two heartbeats;
    one that is more than `stall` seconds late says that the listener could not be reached.
    """

    def __init__(
        self,
        store: Store,
        reach: Callable[[], Reach],
        *,
        every: float = LISTENING_BEAT_SECONDS,
        stall: float = LISTENING_STALL_SECONDS,
    ) -> None:
        self._store = store
        self._reach = reach
        self._every = every
        self._trusted_us = round((every + stall) * 1e6)
        self._lock = threading.Lock()
        self._span: int | None = None
        self._before = Reach(0, 0, 0)
        self._beating: Future[None] | None = None

    def start(self, background: BackgroundLoop) -> None:
        """Beat now, and from now on, for as long as the loop of the listener turns."""
        self.beat()
        self._beating = asyncio.run_coroutine_threadsafe(self._beat_on(), background.loop)

    def stop(self) -> None:
        """Beat for the last time."""
        if self._beating is not None:
            self._beating.cancel()
        self._try()

    def beat(self) -> None:
        """Extend the span, or begin another one. Raises `CaptureFileError`."""
        with self._lock:
            reach = self._reach()
            with self._store.writing() as connection:
                if self._span is not None and self._goes_on(reach):
                    spans.extend(connection, self._span, reach.until)
                else:
                    self._span = spans.begin(connection, reach.at)
            self._before = reach

    def _goes_on(self, reach: Reach) -> bool:
        late = reach.at - self._before.at
        return reach.lost == self._before.lost and 0 <= late <= self._trusted_us

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await asyncio.to_thread(self._try)

    def _try(self) -> None:
        try:
            self.beat()
        except (CaptureFileError, RuntimeError) as error:  # the next beat sees that one is missing
            logger.warning("cannot write down that we listen: %s", error)
