"""Reacting to deliveries as they are stored: waiting for them, and functions that get each one."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Callable

from webhooklab import clock
from webhooklab.defaults import FOLLOW_SLICE_SECONDS
from webhooklab.records import Delivery
from webhooklab.store import Store


class Follower:
    """Calls a function with each delivery stored after `after`, in order, on its own thread.

    An exception in the function is shown with its traceback; the next delivery comes all the
    same. `stop` ends it after the call that is running.
    """

    def __init__(self, store: Store, function: Callable[[Delivery], object], after: int) -> None:
        self._store = store
        self._function = function
        self._after = after
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooklab-follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Call the function no more. Returns when it is not running."""
        self._stopping.set()
        self._store.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._store.wait_beyond(self._after, FOLLOW_SLICE_SECONDS)
            while not self._stopping.is_set() and (new := self._store.following(self._after, 1)):
                self._after = new[0].seq
                self._call(new[0])

    def _call(self, delivery: Delivery) -> None:
        try:
            self._function(delivery)
        except Exception:
            traceback.print_exc()


async def stream(store: Store, after: int, stopped: Callable[[], bool]) -> AsyncIterator[Delivery]:
    """Deliveries stored after `after`, in order, as they come; until `stopped` says so."""
    while not stopped():
        for delivery in await asyncio.to_thread(store.following, after, 1):
            after = delivery.seq
            yield delivery
            break
        else:
            await asyncio.to_thread(store.wait_beyond, after, FOLLOW_SLICE_SECONDS)


class Waiting:
    """Waits until `count` deliveries after `after` are stored, of one type if it is given."""

    def __init__(
        self, store: Store, count: int, after: int, timeout: float, event_type: str | None
    ) -> None:
        self._store = store
        self._count = count
        self._after = after
        self._deadline = clock.monotonic() + timeout
        self._condition = ("event_type = ?", [event_type]) if event_type else ("1", [])
        self._seen = after
        self.seqs: list[int] = []

    @property
    def over(self) -> bool:
        """Whether there are enough, or the time is up."""
        return len(self.seqs) >= self._count or clock.monotonic() >= self._deadline

    def step(self) -> int:
        """Wait a moment for more; returns how many more there are now."""
        before = len(self.seqs)
        left = max(0.0, self._deadline - clock.monotonic())
        self._seen = self._store.wait_beyond(self._seen, min(left, FOLLOW_SLICE_SECONDS))
        self.seqs = self._store.seqs_after(self._after, self._count, *self._condition)
        return len(self.seqs) - before

    async def finish(self) -> None:
        """`step` until it is over, on threads, so that the caller's event loop goes on."""
        while not self.over:
            await asyncio.to_thread(self.step)
