"""Tries are written down together, so that they take few transactions from the capture."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from webhooklab import clock
from webhooklab.attempts import Attempts
from webhooklab.defaults import (
    MAX_UNRECORDED_SENDS,
    POSITION_WRITTEN_SECONDS,
    SEND_RECORD_SECONDS,
)
from webhooklab.errors import CaptureFileError, ClosedError
from webhooklab.sent import Attempt

logger = logging.getLogger(__name__)


class Recorder:
    """Writes down tries, and how far a forward is. On one loop.

    `reached`: up to which `seq` there is nothing left to do; None: nobody asks.
    """

    def __init__(
        self, attempts: Attempts, sender: str, reached: Callable[[], int] | None = None
    ) -> None:
        self.problem: str | None = None
        """Why the last tries could not be written down; None: they could."""
        self._attempts = attempts
        self._sender = sender
        self._reached = reached
        self._pending: list[Attempt] = []
        self._written = -1
        self._written_at = clock.monotonic()
        self._due = asyncio.Event()
        self._lock = asyncio.Lock()

    async def add(self, attempt: Attempt) -> None:
        """Have a try written down soon."""
        self._pending.append(attempt)
        self._due.set()
        if len(self._pending) > MAX_UNRECORDED_SENDS:
            await self.flush()

    def note(self) -> None:
        """Something has moved."""
        self._due.set()

    async def run(self) -> None:
        """Write down what there is, again and again."""
        while True:
            await self._due.wait()
            self._due.clear()
            if not self._pending:  # only how far it is: that has time
                left = POSITION_WRITTEN_SECONDS - (clock.monotonic() - self._written_at)
                await asyncio.sleep(max(0.0, left))
            await self.flush()
            await asyncio.sleep(SEND_RECORD_SECONDS)

    async def flush(self) -> None:
        """Write down all there is, now. What cannot be written is told, and lost."""
        async with self._lock:
            tries, self._pending = self._pending, []
            reached = None if self._reached is None else self._reached()
            if not tries and reached in (None, self._written):
                return
            await _whole(asyncio.to_thread(self._write, tries, reached))
            self._written_at = clock.monotonic()

    def _write(self, tries: list[Attempt], reached: int | None) -> None:
        try:
            self._attempts.record(tries, None if reached is None else {self._sender: reached})
        except (CaptureFileError, ClosedError) as error:
            logger.warning("%d tries could not be written down: %s", len(tries), error)
            self.problem = f"tries could not be written down: {error}"
        else:
            self.problem = None
            self._written = -1 if reached is None else reached


async def _whole(coroutine: Coroutine[Any, Any, None]) -> None:
    """Await it to its end, also when that is called off meanwhile."""
    task = asyncio.ensure_future(coroutine)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
