"""When deliveries could reach us: written down while a listener lives.

Nothing that a poll saw can be called missed without it, so a span ends too early rather than too
late: with the last heartbeat before a crash, before the machine slept or stood still, and before a
request that was not kept.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import LISTENING_BEAT_SECONDS, LISTENING_STALL_SECONDS
from webhooklab.errors import CaptureFileError
from webhooklab.store import Store, spans

logger = logging.getLogger(__name__)

_TRUSTED_US: Final = round((LISTENING_BEAT_SECONDS + LISTENING_STALL_SECONDS) * 1e6)


class Heartbeat:
    """Writes down, again and again, that a listener can be reached.

    `lost` counts the requests that were not kept: any of them may have been an event.
    """

    def __init__(self, store: Store, lost: Callable[[], int]) -> None:
        self._store = store
        self._lost = lost
        self._lock = threading.Lock()
        self._span: int | None = None
        self._last = 0
        self._lost_before = 0
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

    def beat(self) -> int:
        """Extend the span until now, or begin another one; returns the time, in us."""
        now = clock.now_us()
        with self._lock, self._store.writing() as connection:
            lost = self._lost()
            if self._span is not None and self._reached(now, lost):
                spans.extend(connection, self._span, now)
            else:
                self._span = spans.begin(connection, now)
            self._last, self._lost_before = now, lost
        return now

    def _reached(self, now: int, lost: int) -> bool:
        return lost == self._lost_before and 0 <= now - self._last <= _TRUSTED_US

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(LISTENING_BEAT_SECONDS)
            await asyncio.to_thread(self._try)

    def _try(self) -> None:
        try:
            self.beat()
        except CaptureFileError as error:  # the next beat sees that this one is missing
            logger.warning("cannot write down that we listen: %s", error)
