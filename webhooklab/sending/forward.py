"""Forwarding: what arrives goes on to a target, from a queue that is the capture file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Self

from webhooklab import clock
from webhooklab.answering import Maker
from webhooklab.attempts import Attempts
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import SEND_DRAIN_SECONDS
from webhooklab.errors import SendTimeout, WebhookLabError
from webhooklab.facts import Factual
from webhooklab.refusals import Refuse, no_refusal
from webhooklab.sending.carrying import Carrier
from webhooklab.sending.conveyor import Conveyor
from webhooklab.sending.limits import retry_from
from webhooklab.sending.outgoing import check_headers
from webhooklab.sending.poster import Poster
from webhooklab.sending.preparing import Preparer
from webhooklab.sending.queue import Queue
from webhooklab.sending.recorder import Recorder
from webhooklab.sending.replies import Replies
from webhooklab.sending.route import Route
from webhooklab.sending.targets import target_from
from webhooklab.store import Store


class Forward(Factual):
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
        check_headers(route.headers)
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
        self._running = False
        self._ended = ""
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
        left to do up to this `seq`), `closed_seconds` (the target asks to wait, or is away), and
        `running`.
        """
        return {
            **self._carrier.statistics.as_dict(),
            "waiting": self._conveyor.waiting,
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

    def _facts(self) -> dict[str, str]:
        stats = self.stats
        facts = {
            "url": self.url,
            "state": self.state,
            "sent": f"{stats['sent']:,} in {stats['attempts']:,} tries",
            "waiting": f"{stats['waiting']:,}",
            "failed": f"{stats['failed']:,}, and {stats['left_out']:,} left out",
        }
        error = self._conveyor.problem or self._recorder.problem or stats["last_error"]
        if error:
            facts["last error"] = error
        return facts

    # On the loop

    def _begin(self) -> None:
        self._recorder = Recorder(self._attempts, self._sender, lambda: self._queue.reached)
        self._carrier = self._new_carrier()
        self._conveyor = Conveyor(
            self.route,
            self._store,
            queue=self._queue,
            preparer=self._preparer,
            carrier=self._carrier,
            recorder=self._recorder,
            on_gone=self._gone,
        )
        if self.route.reply:
            self._carrier.replies = Replies(
                f"the forward to {self.url}",
                self.route.timeout,
                self._background.post,
                self._conveyor.hurry,
            )
        self._running = True
        self._writing = asyncio.get_running_loop().create_task(self._recorder.run())

    def _new_carrier(self) -> Carrier:
        route = self.route
        self._poster = Poster(
            self.target,
            auth=self._login,
            timeout=route.timeout,
            connections=None if route.reply else route.concurrency,
        )
        return Carrier(
            self._sender,
            self._poster,
            self._recorder,
            self.retry,
            concurrency=route.concurrency,
            patient=True,
        )

    async def _end(self, why: str) -> None:
        if not self._running:
            return
        self._running, self._ended = False, why
        self._writing.cancel()
        await self._conveyor.close()
        await asyncio.gather(self._writing, return_exceptions=True)
        if self._carrier.replies is not None:
            self._carrier.replies.close()
        await self._recorder.flush()
        await self._poster.close()

    def _gone(self) -> None:
        ending = self._end(f"stopped: {self.url} said 410 Gone")
        self._ending = asyncio.get_running_loop().create_task(ending)

    def _is_through(self, head: int) -> bool:
        return self._queue.taken >= head and self._queue.reached >= head
