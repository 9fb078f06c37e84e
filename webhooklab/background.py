"""One event loop in one daemon thread: what a listener, a poller and the Shop run on.

The notebook's own loop waits for the running cell; this one does not. The thread is a daemon, so
that a kernel that ends is not held back by it (a non-daemon thread delays a kernel's restart by
seconds and keeps `atexit` from running).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import selectors
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import Any, Self, TypeVar

from webhooklab import forks
from webhooklab.defaults import LOOP_STOP_TIMEOUT_SECONDS, SWITCH_INTERVAL_SECONDS

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class BackgroundLoop:
    """An asyncio event loop in a daemon thread of its own. `start`, `stop`, `with`.

    `call` runs a function on the loop and waits for what it returns; `run` does so with a
    coroutine; `post` does not wait. All three may be used from any thread but the loop's own.
    """

    def __init__(self, name: str = "webhooklab-loop") -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether the loop has been started and not stopped."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop. Raises `RuntimeError` when it does not run."""
        if self._loop is None:
            raise RuntimeError("the background loop is not running: call start() first")
        return self._loop

    def start(self) -> BackgroundLoop:
        """Start the thread; returns when the loop runs. A second call does nothing."""
        if self._loop is not None:
            return self
        loop = asyncio.new_event_loop()
        running = threading.Event()
        loop.call_soon(running.set)
        self._thread = threading.Thread(
            target=self._run, args=(loop,), name=self._name, daemon=True
        )
        self._thread.start()
        running.wait()
        self._loop = loop
        forks.in_child(self._forked)
        return self

    def stop(self) -> None:
        """Cancel what still runs on the loop, end the thread and join it. Repeatable."""
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(LOOP_STOP_TIMEOUT_SECONDS)
        self._thread = None

    def call(self, function: Callable[..., Result], *args: Any) -> Result:
        """Run `function(*args)` on the loop and return its result (or raise its error)."""

        async def invoke() -> Result:
            return function(*args)

        return self.run(invoke())

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the loop and return its result (or raise its error)."""
        try:
            loop = self.loop
        except RuntimeError:
            coroutine.close()
            raise
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Have `function(*args)` run on the loop soon. Nothing happens once it has stopped."""
        if (loop := self._loop) is not None:
            with contextlib.suppress(RuntimeError):  # it is being closed just now
                loop.call_soon_threadsafe(function, *args)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _forked(self) -> None:
        """In a forked child there is no thread of it, and its sockets are the parent's."""
        loop, self._loop = self._loop, None
        if loop is not None:
            forks.leave(_files_of(loop))

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
            _cancel_all(loop)
        finally:
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the loop's tasks and let them end, so that none is destroyed while pending.

    One that has not begun is let begin: cancelled before that, it would drop the coroutine that it
    was handed (anyio hands one over while it connects), and nobody would ever await that.
    """
    cancelled: set[asyncio.Task[Any]] = set()
    while tasks := asyncio.all_tasks(loop):
        begun = {task for task in tasks if _begun(task)}
        for task in begun - cancelled:
            task.cancel()
        cancelled |= begun
        patience = None if begun == tasks else 0
        loop.run_until_complete(asyncio.wait(tasks, timeout=patience))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())


def _files_of(loop: asyncio.AbstractEventLoop) -> list[int]:
    """The sockets that a loop waits for, and what it waits with."""
    selector: selectors.BaseSelector | None = getattr(loop, "_selector", None)
    if selector is None or not (waited_for := selector.get_map()):
        return []
    return [key.fd for key in waited_for.values()] + _own_file(selector)


def _own_file(selector: selectors.BaseSelector) -> list[int]:
    return [selector.fileno()] if hasattr(selector, "fileno") else []


def _begun(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return not iscoroutine(coroutine) or getcoroutinestate(coroutine) != CORO_CREATED


class Errands:
    """Runs functions on daemon threads, in order, so many at a time.

    A thread ends when there is nothing left to do, so nothing has to be stopped; and what hangs in
    a function of the user's does not keep a kernel from ending.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._most = threads
        self._running = 0
        self._waiting: deque[tuple[Callable[..., object], Any]] = deque()
        self._lock = threading.Lock()

    def run(self, function: Callable[[Any], object], argument: Any) -> None:
        """Have `function(argument)` run soon. What it raises goes to the log.

        Raises `RuntimeError` where the system gives no thread, and none of ours runs.
        """
        with self._lock:
            if self._running < self._most:
                self._start_one()
            self._waiting.append((function, argument))

    def _start_one(self) -> None:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:  # the system has no more: those that run do it, too
            if not self._running:
                raise
        else:
            self._running += 1

    def _work(self) -> None:
        while (found := self._next()) is not None:
            function, argument = found
            try:
                function(argument)
            except Exception:  # the next errand is to be run all the same
                logger.exception("an errand of %s failed", self._name)

    def _next(self) -> tuple[Callable[..., object], Any] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None


class QuickSwitching:
    """While anything listens, Python's threads take turns more often.

    A cell that computes in pure Python gives the interpreter away every 5 ms by default; a
    delivery needs it several times. With a shorter interval the listener answers about three
    times as many requests while a cell computes (`python -m tests.benchmarks` measures it). The
    user's own setting comes back when the last listener has closed.
    """

    _lock = threading.Lock()
    _users = 0
    _before = 0.0

    @classmethod
    def acquire(cls) -> None:
        """One more listener; the first one shortens the interval."""
        with cls._lock:
            if cls._users == 0:
                cls._before = sys.getswitchinterval()
                sys.setswitchinterval(min(SWITCH_INTERVAL_SECONDS, cls._before))
            cls._users += 1

    @classmethod
    def release(cls) -> None:
        """One listener fewer; the last one gives the interval back."""
        with cls._lock:
            cls._users -= 1
            if cls._users == 0:
                sys.setswitchinterval(cls._before)
