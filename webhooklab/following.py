"""Reacting to deliveries as they are stored: waiting for them, and functions that get each one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import traceback
from collections.abc import AsyncIterator, Callable

from webhooklab import clock
from webhooklab.defaults import (
    FOLLOW_SLICE_SECONDS,
    LOOP_STOP_TIMEOUT_SECONDS,
    POSITION_WRITTEN_SECONDS,
)
from webhooklab.errors import CaptureFileError, ClosedError
from webhooklab.records import Delivery
from webhooklab.store import Store


class Position:
    """How far a follower is, kept in the file by its name, so that another one goes on from there.

    Written down at most once a second: what a crash has kept from being written comes again.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._key = f"follower:{name}"
        kept = store.recall(self._key)
        self.start = store.head if kept is None else int(kept)
        """The last `seq` that is done."""
        self._reached, self._written = self.start, -1
        self._at = clock.monotonic()
        self.write()

    def reach(self, seq: int) -> None:
        """All up to `seq` is done."""
        self._reached = seq

    def write_if_due(self) -> None:
        """Write it down, if that was not done for a while. Raises `CaptureFileError`."""
        if clock.monotonic() - self._at >= POSITION_WRITTEN_SECONDS:
            self.write()

    def write(self) -> None:
        """Write it down, unless that was done. Raises `CaptureFileError`."""
        if self._written != self._reached:
            self._store.remember(self._key, str(self._reached))
            self._written = self._reached
        self._at = clock.monotonic()


class Follower:
    """Calls a function with each delivery stored after `after`, in order, on its own thread.

    An exception in the function is shown with its traceback; the next delivery comes all the
    same. `stop` ends it after the call that is running. `position`: where it is noted how far it
    is; None: nowhere.
    """

    def __init__(
        self,
        store: Store,
        function: Callable[[Delivery], object],
        after: int,
        position: Position | None = None,
    ) -> None:
        self._store = store
        self._function = function
        self._after = after
        self._position = position
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooklab-follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Call the function no more. Waits for the call that is running, though not for ever."""
        self._stopping.set()
        self._store.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(LOOP_STOP_TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except CaptureFileError:  # a full disk or a lock may be gone in a moment
                traceback.print_exc()
                self._stopping.wait(FOLLOW_SLICE_SECONDS)
        if self._position is not None:
            with contextlib.suppress(CaptureFileError):  # what is not noted comes again
                self._position.write()

    def _follow(self) -> None:
        self._store.wait_beyond(self._after, FOLLOW_SLICE_SECONDS)
        while not self._stopping.is_set() and (new := self._store.following(self._after, 1)):
            self._after = new[0].seq
            self._call(new[0])
            self._note()
        self._note()

    def _note(self) -> None:
        if self._position is not None:
            self._position.reach(self._after)
            self._position.write_if_due()

    def _call(self, delivery: Delivery) -> None:
        try:
            self._function(delivery)
        except Exception:
            traceback.print_exc()


class Followers:
    """The functions that follow a store, by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[str, Follower] = {}

    def follow(
        self, name: str, function: Callable[[Delivery], object], *, kept: bool = False
    ) -> Follower:
        """Call `function` with each delivery from now on, in place of the earlier one of `name`.

        `kept`: how far it is stays in the file; it begins where the one before it has stopped.
        """
        earlier = self._running.pop(name, None)
        if earlier is not None:
            earlier.stop()
        position = Position(self._store, name) if kept else None
        start = self._store.head if position is None else position.start
        self._running[name] = Follower(self._store, function, start, position)
        return self._running[name]

    def stop(self) -> None:
        """Stop all."""
        for follower in self._running.values():
            follower.stop()


async def stream(store: Store, after: int, stopped: Callable[[], bool]) -> AsyncIterator[Delivery]:
    """Deliveries stored after `after`, in order, as they come; until `stopped` says so."""
    while not stopped():
        new = await asyncio.to_thread(store.following, after, 1)
        if new:
            after = new[0].seq
            yield new[0]
        else:
            await asyncio.to_thread(store.wait_beyond, after, FOLLOW_SLICE_SECONDS)


class Waiting:
    """Waits until `count` deliveries after `after` are stored, of one type if it is given."""

    def __init__(
        self, store: Store, count: int, after: int, timeout: float, event_type: str | None
    ) -> None:
        self._store = store
        self._count = count
        self._deadline = clock.monotonic() + timeout
        self._condition = ("event_type = ?", [event_type]) if event_type else ("1", [])
        self._seen = after
        self.seqs: list[int] = []
        self._look()

    @property
    def over(self) -> bool:
        """Whether there are enough, or the time is up."""
        return len(self.seqs) >= self._count or clock.monotonic() >= self._deadline

    def step(self) -> int:
        """Wait a moment for more; returns how many more there are now.

        Raises `ClosedError` when none can come any more.
        """
        if not self._store.writable:
            raise ClosedError("Nothing more comes: this Lab was closed. Open it again.")
        left = max(0.0, self._deadline - clock.monotonic())
        self._store.wait_beyond(self._seen, min(left, FOLLOW_SLICE_SECONDS))
        return self._look()

    def _look(self) -> int:
        """Take what is there beyond what has been looked at; returns how many that are."""
        head = self._store.head  # before the rows, so that none of those up to it is missed
        wanted = self._count - len(self.seqs)
        more = self._store.seqs_after(self._seen, wanted, *self._condition)
        self._seen = max([head, *more[-1:]])
        self.seqs += more
        return len(more)

    async def finish(self) -> None:
        """`step` until it is over, on threads, so that the caller's event loop goes on."""
        while not self.over:
            await asyncio.to_thread(self.step)
