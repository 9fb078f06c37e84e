"""Waiting for deliveries, and reacting to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import pandas as pd

from webhooklab import progress
from webhooklab.defaults import WAIT_TIMEOUT_SECONDS
from webhooklab.errors import WaitTimeout
from webhooklab.following import Follower, Waiting, stream
from webhooklab.lab.frames import Frames
from webhooklab.records import EVENT_COLUMNS, Delivery


class Reacting(Frames):
    """`wait`, `wait_async`, `expect`, `on_delivery` and `stream`."""

    def wait(
        self,
        count: int = 1,
        *,
        after: int | None = None,
        timeout: float = WAIT_TIMEOUT_SECONDS,
        event_type: str | None = None,
    ) -> pd.DataFrame:
        """Block until `count` deliveries with `seq > after` are there; returns them.

        `after` None: from now. `timeout` in seconds; then `WaitTimeout`, with those that came.
        Raises `ClosedError` on a closed Lab, to which nothing comes.
        """
        waiting = self._waiting(count, after, timeout, event_type)
        with progress.bar(count, "waiting for webhooks") as advance:
            while not waiting.over:
                advance(waiting.step())
        return self._waited(waiting, count, timeout)

    async def wait_async(
        self,
        count: int = 1,
        *,
        after: int | None = None,
        timeout: float = WAIT_TIMEOUT_SECONDS,  # noqa: ASYNC109 - the same call as `wait`
        event_type: str | None = None,
    ) -> pd.DataFrame:
        """`wait` without blocking the notebook's event loop."""
        waiting = self._waiting(count, after, timeout, event_type)
        await waiting.finish()
        return self._waited(waiting, count, timeout)

    def expect(
        self,
        count: int = 1,
        *,
        timeout: float = WAIT_TIMEOUT_SECONDS,
        event_type: str | None = None,
    ) -> Expectation:
        """`with lab.expect(2) as got:` waits, at the end of the block, for two deliveries.

        They are counted from before the block, so that nothing that the block causes is missed.
        After it, `got.events` is their frame.
        """
        return Expectation(self, count, timeout, event_type)

    def _waiting(
        self, count: int, after: int | None, timeout: float, event_type: str | None
    ) -> Waiting:
        start = self.head if after is None else after
        return Waiting(self._parts.store, count, start, timeout, event_type)

    def _waited(self, waiting: Waiting, count: int, timeout: float) -> pd.DataFrame:
        events = self._parts.views.rows(waiting.seqs)
        if len(events) < count:
            raise WaitTimeout(
                f"{len(events)} of {count} deliveries came within {timeout:g} s. Is the sender "
                f"told this URL: {self._parts.url}? Those that came are in the error's .events.",
                events,
            )
        return events

    def on_delivery(
        self, function: Callable[[Delivery], object], *, name: str | None = None
    ) -> Follower:
        """Call `function` with each delivery from now on, after its commit, on a thread.

        Replaces the earlier one of the same `name` (None: the function's own). Returns what has
        `.stop()`. An exception is shown; the next delivery comes all the same.

        With listener="process", what came while nobody called (the kernel was restarted, or you
        stopped it) comes first: how far it is stays in the file by its name, written once a
        second, so after a crash some come again. A lambda without a `name` begins now.
        """
        self._parts.check_open()
        own = str(getattr(function, "__qualname__", repr(function)))
        has_name = name is not None or (hasattr(function, "__qualname__") and "<lambda>" not in own)
        kept = has_name and self._parts.listening.remote is not None and self._parts.leads
        return self._parts.followers.follow(name or own, function, kept=kept)

    def stream(self, *, after: int | None = None) -> AsyncIterator[Delivery]:
        """`async for delivery in lab.stream()`: each delivery from now on, until the Lab closes.

        `after`: from those with `seq > after` on; None: from now.
        """
        start = self.head if after is None else after
        return stream(self._parts.store, start, lambda: self._parts.closed)


class Expectation:
    """What `lab.expect` gives: `events`, the deliveries that came, once the block has ended."""

    def __init__(self, lab: Reacting, count: int, timeout: float, event_type: str | None) -> None:
        self.events = lab.find(last=0, columns=tuple(EVENT_COLUMNS))
        self._lab = lab
        self._count = count
        self._timeout = timeout
        self._event_type = event_type
        self._after = 0

    def __len__(self) -> int:
        return len(self.events)

    def __enter__(self) -> Self:
        self._after = self._lab.head
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            self.events = self._lab.wait(
                self._count,
                after=self._after,
                timeout=self._timeout,
                event_type=self._event_type,
            )
