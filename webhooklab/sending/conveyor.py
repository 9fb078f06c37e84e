"""From a forward's queue to its carrier: as much at a time as there is room for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final

from webhooklab.defaults import FOLLOW_SLICE_SECONDS, MAX_WAITING_SENDS
from webhooklab.errors import CaptureFileError
from webhooklab.sending.carrying import Carrier, Parcel
from webhooklab.sending.order import Order
from webhooklab.sending.outcomes import GONE
from webhooklab.sending.preparing import Preparer
from webhooklab.sending.queue import Queue
from webhooklab.sending.recorder import Recorder
from webhooklab.sending.route import Route
from webhooklab.sent import Wanted
from webhooklab.store import Store

logger = logging.getLogger(__name__)

_LOOK_AHEAD: Final = 2
"""So many times what may be under way is read ahead: while nothing goes out, nothing is read."""


class Conveyor:
    """Runs from when it is made until `close`. On one loop.

    `on_gone`: told when the target says that it is there no more (410).
    """

    def __init__(
        self,
        route: Route,
        store: Store,
        *,
        queue: Queue,
        preparer: Preparer,
        carrier: Carrier,
        recorder: Recorder,
        on_gone: Callable[[], object],
    ) -> None:
        self.problem: str | None = None
        """Why the queue could not be read; None: it could."""
        self._store = store
        self._queue = queue
        self._preparer = preparer
        self._carrier = carrier
        self._recorder = recorder
        self._on_gone = on_gone
        self._concurrency = route.concurrency
        self._order = Order(kept=route.in_order)
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()
        carrier.on_rest = self._moved.set
        self._waker = ThreadPoolExecutor(1, "webhooklab-forward")
        self._closed = False
        self._running = asyncio.get_running_loop().create_task(self._run())

    @property
    def waiting(self) -> int:
        """How many were read, and neither sent nor given up."""
        return len(self._tasks)

    async def close(self) -> None:
        """Give up what is under way."""
        self._closed = True
        tasks = [self._running, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waker.shutdown(wait=False)

    async def _run(self) -> None:
        while True:
            try:
                await self._take()
                self.problem = None
            except CaptureFileError as error:  # a full disk or a lock may be gone in a moment
                self.problem = f"the capture file could not be read: {error}"
                await asyncio.sleep(FOLLOW_SLICE_SECONDS)

    async def _take(self) -> None:
        while not self._has_room:
            self._moved.clear()
            await self._moved.wait()
        limit = self._concurrency * _LOOK_AHEAD
        found = await asyncio.to_thread(self._queue.look, limit)
        for wanted in self._queue.take(found):
            self._launch(wanted)
        self._recorder.note()
        if len(found.rows) < limit:
            loop = asyncio.get_running_loop()
            taken = self._queue.taken
            await loop.run_in_executor(
                self._waker, self._store.wait_beyond, taken, FOLLOW_SLICE_SECONDS
            )

    @property
    def _has_room(self) -> bool:
        ready = len(self._tasks) - self._carrier.resting - self._order.held
        return len(self._tasks) < MAX_WAITING_SENDS and ready < self._concurrency * _LOOK_AHEAD

    def _launch(self, wanted: Wanted) -> None:
        self._begin(self._carry(wanted, self._order.join(wanted)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, wanted: Wanted, turn: AbstractAsyncContextManager[None]) -> None:
        outcome = None
        try:
            async with turn:
                outcome = await self._carrier.carry(self._parcel(wanted.seq))
        except Exception:  # nothing may end the forward; what it is, is a fault of ours
            logger.exception("delivery %s could not be sent on", wanted.seq)
        self._queue.done(wanted.seq)
        self._recorder.note()
        self._moved.set()
        if outcome is not None and outcome.status == GONE:
            self._on_gone()

    def _parcel(self, seq: int) -> Parcel:
        return Parcel(
            given_seq=seq,
            seq=seq,
            shown=self._preparer.shown,
            prepare=partial(self._preparer.prepare, seq),
            number=self._queue.tries_before(seq),
        )

    # For those who wait for an answer

    def hurry(self, seq: int) -> None:
        """Somebody waits for the answer to this delivery: see to it before all others."""
        self._begin(self._look_at(seq))

    async def _look_at(self, seq: int) -> None:
        assert self._carrier.replies is not None
        if seq in self._queue.open:
            return  # it is on its way
        wanted = None
        with contextlib.suppress(CaptureFileError):
            if not self._closed:
                wanted = await asyncio.to_thread(self._queue.one, seq)
        if wanted is None:
            self._carrier.replies.nothing(seq)
        elif self._queue.open_ahead(seq):
            self._launch(wanted)
