"""Forwarding: what arrives goes on to a target, from a queue that is the capture file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final, Self

from webhooklab import clock
from webhooklab.answering import Maker
from webhooklab.attempts import Attempts
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import FOLLOW_SLICE_SECONDS, MAX_WAITING_SENDS, SEND_DRAIN_SECONDS
from webhooklab.errors import CaptureFileError, SendTimeout, WebhookLabError
from webhooklab.pulling.statistics import html_table
from webhooklab.sending.carrying import Carrier, Parcel
from webhooklab.sending.limits import retry_from
from webhooklab.sending.order import Order
from webhooklab.sending.outcomes import GONE
from webhooklab.sending.outgoing import checked_headers
from webhooklab.sending.poster import Poster
from webhooklab.sending.preparing import Preparer, Refuse, no_refusal
from webhooklab.sending.queue import Queue
from webhooklab.sending.recorder import Recorder
from webhooklab.sending.replies import Replies
from webhooklab.sending.route import Route
from webhooklab.sending.targets import target_from
from webhooklab.sent import Wanted
from webhooklab.store import Store

logger = logging.getLogger(__name__)

_LOOK_AHEAD: Final = 2
"""So many times what may be under way is read ahead: while nothing goes out, nothing is read."""


class Forward:
    """Sends on what arrives, from `start` to `stop`; on `background`, which must be running.

    Goes on where the forward of the same name stopped, or was stopped by a crash: at least once,
    each delivery with a key that stays the same. What was captured before the first `start` is not
    sent. Raises `SendArgumentError`, `FilterError`; `TypeError` for an `auth` httpx refuses.
    """

    def __init__(
        self,
        route: Route,
        store: Store,
        background: BackgroundLoop,
        *,
        refuse: Refuse = no_refusal,
    ) -> None:
        route.check()
        checked_headers(route.headers)
        self.target, login = target_from(route.url, keep_path=route.keep_path)
        self.url = self.target.shown
        self.name = route.name or self.url
        self.retry = retry_from(route.retry)
        self.route = route
        self._store = store
        self._background = background
        self._refuse = refuse
        self._login = route.auth if route.auth is not None else login
        self._attempts = Attempts(store)
        self._sender = f"forward:{self.name}"
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False
        self._ended = ""
        self._problem: str | None = None
        self._stopping: Callable[[], object] | None = None

    # For the user

    def start(self) -> Self:
        """Forward from now on, and what the forward of this name has left. `CaptureFileError`."""
        self._queue = Queue(self._store, self._attempts, self._sender, self.route)
        self._preparer = Preparer(
            self._store,
            self.route,
            self.target,
            self._refuse,
            name=self.name,
            identity=self._attempts.identity(),
        )
        self._background.call(self._begin)
        return self

    def stop(self, *, forget: bool = False) -> None:
        """End it at once: what is under way is given up, and goes out when it is set again.

        `forget`: not so; set again, it begins with what comes then. Repeatable.
        """
        if self._running and self._background.running:
            self._background.run(self._end("stopped"))
        if self._stopping is not None:
            with contextlib.suppress(WebhookLabError):  # who listened has ended already
                self._stopping()
        if forget:
            self._attempts.leave(self._sender)

    @property
    def running(self) -> bool:
        """Whether it forwards; False once it was stopped, or the target said 410 Gone."""
        return self._running and self._background.running

    def on_stop(self, function: Callable[[], object]) -> None:
        """Have a function called when it is stopped."""
        self._stopping = function

    @property
    def maker(self) -> Maker | None:
        """What answers senders with the target's answers; None: nobody asked for that."""
        return self._carrier.replies

    @property
    def stats(self) -> dict[str, Any]:
        """A copy of what was counted since the start.

        `attempts` (tries), `sent` (the target has them), `failed` (given up), `left_out` (not
        meant, or refused: see `last_left_out`), `last_error`, `last_status`; and now: `waiting`
        (read, and neither sent nor given up; others may wait in the file), `reached` (nothing is
        left to do up to this `seq`), `closed_seconds` (the target asks to wait, or is away).
        """
        return {
            **self._carrier.statistics.as_dict(),
            "waiting": len(self._tasks),
            "reached": self._queue.reached,
            "closed_seconds": round(self._carrier.gate.closed_seconds, 1),
            "running": self.running,
        }

    def drain(self, timeout: float = SEND_DRAIN_SECONDS) -> None:
        """Wait until all that has been captured so far was sent or given up. `SendTimeout`.

        `timeout` in seconds.
        """
        head, deadline = self._store.head, clock.monotonic() + timeout
        while self.running and not self._background.call(self._is_through, head):
            if clock.monotonic() > deadline:
                break
            clock.pause(0.005)
        self.settle()
        if not (self.running and self._queue.reached >= head):
            raise SendTimeout(
                f"The forward {self.name!r} was not through after {timeout:g} s: {self.state}. "
                "See lab.attempts for what was tried."
            )

    def settle(self) -> None:
        """Have all tries so far in the file."""
        if self.running:
            self._background.run(self._recorder.flush())

    @property
    def state(self) -> str:
        """What it is doing, in words."""
        if not self.running:
            return self._ended or "stopped"
        if self._carrier.gate.unreachable:
            return f"the target cannot be reached ({self._carrier.statistics.last_error})"
        if self._carrier.gate.closed_seconds > 1:
            return f"the target asks to wait {self._carrier.gate.closed_seconds:,.0f} s"
        return "forwarding"

    @property
    def away(self) -> bool:
        """Whether the target cannot be reached."""
        return self.running and self._carrier.gate.unreachable

    @property
    def ended_itself(self) -> bool:
        """Whether the target has ended it (410 Gone)."""
        return not self.running and self._ended not in ("", "stopped")

    def __repr__(self) -> str:
        return f"<Forward {self.name!r}: " + "; ".join(f"{k} {v}" for k, v in self._facts()) + ">"

    def _repr_html_(self) -> str:
        return html_table(f"Forward {self.name}", dict(self._facts()))

    def _facts(self) -> list[tuple[str, str]]:
        stats = self.stats
        facts = [
            ("url", self.url),
            ("state", self.state),
            ("sent", f"{stats['sent']:,} in {stats['attempts']:,} tries"),
            ("waiting", f"{stats['waiting']:,}"),
            ("failed", f"{stats['failed']:,}, and {stats['left_out']:,} left out"),
        ]
        error = self._problem or self._recorder.problem or stats["last_error"]
        return facts + [("last error", str(error))] * bool(error)

    # On the loop

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._waker = ThreadPoolExecutor(1, "webhooklab-forward")
        self._moved = asyncio.Event()
        self._order = Order(kept=self.route.in_order)
        self._recorder = Recorder(self._attempts, self._sender, lambda: self._queue.reached)
        self._poster = Poster(
            self.target,
            auth=self._login,
            timeout=self.route.timeout,
            connections=None if self.route.reply else self.route.concurrency,
        )
        self._carrier = Carrier(
            self._sender,
            self._poster,
            self._recorder,
            self.retry,
            concurrency=self.route.concurrency,
            patient=True,
        )
        self._carrier.on_rest = self._moved.set
        if self.route.reply:
            self._carrier.replies = Replies(
                f"the forward to {self.url}",
                self.route.timeout,
                self._background.post,
                self._hurry,
            )
        self._running = True
        self._own = [loop.create_task(self._run()), loop.create_task(self._recorder.run())]

    async def _end(self, why: str) -> None:
        if not self._running:
            return
        self._running, self._ended = False, why
        tasks = [*self._own, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waker.shutdown(wait=False)
        if self._carrier.replies is not None:
            self._carrier.replies.close()
        await self._recorder.flush()
        await self._poster.close()

    async def _run(self) -> None:
        while True:
            try:
                await self._take()
                self._problem = None
            except CaptureFileError as error:  # a full disk or a lock may be gone in a moment
                self._problem = f"the capture file could not be read: {error}"
                await asyncio.sleep(FOLLOW_SLICE_SECONDS)

    async def _take(self) -> None:
        while not self._has_room:
            self._moved.clear()
            await self._moved.wait()
        limit = self.route.concurrency * _LOOK_AHEAD
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
        return len(self._tasks) < MAX_WAITING_SENDS and ready < self.route.concurrency * _LOOK_AHEAD

    def _launch(self, wanted: Wanted) -> None:
        turn = self._order.join(wanted)
        task = asyncio.get_running_loop().create_task(self._carry(wanted, turn))
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
            ending = self._end(f"stopped: {self.url} said 410 Gone")
            self._ending = asyncio.get_running_loop().create_task(ending)

    def _parcel(self, seq: int) -> Parcel:
        return Parcel(
            given_seq=seq,
            seq=seq,
            shown=self.url,
            prepare=partial(self._preparer.prepare, seq),
            number=self._queue.tries_before(seq),
        )

    # For those who wait for an answer

    def _hurry(self, seq: int) -> None:
        """Somebody waits for the answer to this delivery: see to it before all others."""
        task = asyncio.get_running_loop().create_task(self._look_at(seq))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_at(self, seq: int) -> None:
        assert self._carrier.replies is not None
        if seq in self._queue.open:
            return  # it is on its way
        wanted = None
        with contextlib.suppress(CaptureFileError):
            if self._running:
                wanted = await asyncio.to_thread(self._queue.one, seq)
        if wanted is None:
            self._carrier.replies.nothing(seq)
        elif self._queue.open_ahead(seq):
            self._launch(wanted)

    def _is_through(self, head: int) -> bool:
        return self._queue.taken >= head and self._queue.reached >= head
