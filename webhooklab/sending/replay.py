"""Replaying: captured deliveries sent again, to another target, at another time, changed or not."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias

from webhooklab import clock, progress
from webhooklab.attempts import Attempts
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import (
    FOLLOW_SLICE_SECONDS,
    REPLAY_LEAVE_SECONDS,
    SEND_CONCURRENCY,
    SEND_TIMEOUT_SECONDS,
)
from webhooklab.errors import ConfirmationError
from webhooklab.records import Delivery
from webhooklab.sending.carrying import Carrier, Parcel
from webhooklab.sending.given import Given, Rows
from webhooklab.sending.limits import ONLY_WHEN_ASKED, Retries, check_concurrency, retry_from
from webhooklab.sending.outgoing import (
    Changes,
    NewBody,
    Outgoing,
    body_from,
    check_headers,
    has_credentials,
    outgoing,
    with_body,
    with_headers,
    without_ours,
)
from webhooklab.sending.pace import Pace
from webhooklab.sending.poster import Poster
from webhooklab.sending.preparing import Broken
from webhooklab.sending.recorder import Recorder
from webhooklab.sending.resigning import check_resign, resigned
from webhooklab.sending.targets import PathRefused, target_from
from webhooklab.signatures import Secrets
from webhooklab.sources import REPLAY_HEADER

Edited: TypeAlias = NewBody | Callable[[Delivery], Any] | None
"""The body to send in place of each one's own, or a function of the delivery that returns it."""

_EXAMPLES: Final = 3


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """How to replay, as `lab.replay` takes it."""

    to: str
    speed: float | None = None
    rate: float | None = None
    resign: Secrets | None = None
    headers: Changes = None
    body: Edited = None
    confirm: bool = False
    keep_path: bool = False
    retry: Retries = ONLY_WHEN_ASKED
    timeout: float = SEND_TIMEOUT_SECONDS
    auth: Any = None
    concurrency: int | None = None


class Replay:
    """One replay of some rows; `sender`: by which its tries are found.

    Raises `SendArgumentError` and `ConfirmationError`, before anything is sent.
    """

    def __init__(self, rows: Rows, options: ReplayOptions, attempts: Attempts) -> None:
        self.sender = f"replay:{secrets.token_hex(8)}"
        self.done = 0
        """How many deliveries are through."""
        self._rows = rows
        self._options = options
        self._attempts = attempts
        self._pace = Pace(options.speed, options.rate)
        self._target, login = target_from(options.to, keep_path=options.keep_path)
        self._login = options.auth if options.auth is not None else login
        self._retry = retry_from(options.retry)
        self._concurrency = options.concurrency or (SEND_CONCURRENCY if self._pace.timed else 1)
        check_concurrency(self._concurrency)
        check_headers(options.headers)
        if options.body is not None and not callable(options.body):
            body_from(options.body)
        self._check_signing()
        self._check_confirmed()
        self._stopping = False
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def _check_signing(self) -> None:
        if self._options.resign is None:
            return
        for provider in {_provider(each) for each in self._rows}:
            check_resign(provider, self._options.resign, str(self._target.url))

    def _check_confirmed(self) -> None:
        if self._target.loopback or self._options.confirm:
            return
        secret = []
        for each in self._rows:
            query = each.values.get("query_string")
            pairs = with_headers(each.headers, self._options.headers)
            if has_credentials(pairs, query if query is not None else each.delivery().query_string):
                secret.append(each.seq)
            if len(secret) == _EXAMPLES:
                break
        if secret:
            raise ConfirmationError(
                f"Some of these deliveries carry credentials (seq {', '.join(map(str, secret))}, "
                f"say), and {self._target.url.host} is not this machine: take them out with "
                "headers={'Authorization': None}, or say confirm=True."
            )

    # In the caller's thread

    def run(self, background: BackgroundLoop) -> None:
        """Send all; returns when they are through, or after Ctrl-C."""
        future = asyncio.run_coroutine_threadsafe(self._run(), background.loop)
        with progress.bar(len(self._rows), "replaying") as advance:
            shown = 0
            try:
                while not wait_for([future], FOLLOW_SLICE_SECONDS).done:
                    advance(self.done - shown)
                    shown = self.done
            except KeyboardInterrupt:
                self._interrupt(future, background)
            else:
                future.result()
                advance(self.done - shown)

    def _interrupt(self, future: Future[None], background: BackgroundLoop) -> None:
        """Begin nothing more, and let what is under way end, if it does so soon."""
        self._stopping = True
        background.post(self._wake)
        if not wait_for([future], REPLAY_LEAVE_SECONDS).done:
            background.post(self._cancel)
            wait_for([future])

    # On the loop

    def _wake(self) -> None:
        self._stopped.set()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _run(self) -> None:
        recorder = Recorder(self._attempts, self.sender)
        poster = Poster(
            self._target,
            auth=self._login,
            timeout=self._options.timeout,
            connections=self._concurrency,
        )
        carrier = Carrier(
            self.sender, poster, recorder, self._retry, concurrency=self._concurrency, patient=False
        )
        writing = asyncio.get_running_loop().create_task(recorder.run())
        try:
            await self._send_all(carrier)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await recorder.flush()
            await poster.close()

    async def _send_all(self, carrier: Carrier) -> None:
        began, first_at = clock.monotonic(), None
        slots = asyncio.Semaphore(self._concurrency)
        for position in range(len(self._rows)):
            given = self._rows[position]
            first_at = given.received_at if first_at is None else first_at
            due = began + self._pace.due_seconds(position, given.received_at, first_at)
            await self._rest(due - clock.monotonic())
            await slots.acquire()
            if self._stopping:
                break
            task = asyncio.get_running_loop().create_task(self._send(given, carrier, slots))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _rest(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _send(self, given: Given, carrier: Carrier, slots: asyncio.Semaphore) -> None:
        try:
            ours = await asyncio.to_thread(given.is_ours, self._attempts)
            parcel = Parcel(
                given_seq=given.seq,
                seq=given.seq if ours else None,
                shown=self._target.shown,
                prepare=partial(self._prepare, given),
            )
            await carrier.carry(parcel)
            self.done += 1
        finally:
            slots.release()

    def _prepare(self, given: Given) -> Outgoing:
        """The request for a row. Raises `Broken`. On a thread."""
        try:
            delivery = given.delivery()
            request = outgoing(delivery, self._target)
            request = replace(request, headers=without_ours(request.headers))
            if self._options.body is not None:
                request = with_body(request, self._body(delivery), plain=True)
            request = replace(request, headers=with_headers(request.headers, self._options.headers))
            if self._options.resign is not None:
                request = resigned(request, delivery.provider or "", self._options.resign)
        except (PathRefused, ValueError) as error:
            raise Broken(f"it cannot be sent: {error}") from None
        mark = (REPLAY_HEADER, f"{self.sender.partition(':')[2]}-{given.seq}")
        return replace(request, headers=(*request.headers, mark))

    def _body(self, delivery: Delivery) -> bytes:
        if not callable(self._options.body):
            return body_from(self._options.body)
        try:
            made = self._options.body(delivery)
        except Exception as error:
            # What was raised may quote the delivery, which is not for the table.
            raise Broken(f"the function body= raised {type(error).__name__}") from error
        return body_from(made)


def _provider(given: Given) -> str | None:
    if "provider" in given.values:
        said: str | None = given.values["provider"]
        return said
    return given.delivery().provider
