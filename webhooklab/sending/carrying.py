"""One delivery's way to the target: prepared, tried, and tried again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt

from webhooklab import clock
from webhooklab.background import Errands
from webhooklab.sending.gate import Gate
from webhooklab.sending.limits import Retry
from webhooklab.sending.outcomes import Outcome
from webhooklab.sending.outgoing import Outgoing
from webhooklab.sending.poster import Poster
from webhooklab.sending.preparing import Broken, LeftOut
from webhooklab.sending.recorder import Recorder
from webhooklab.sending.replies import Replies
from webhooklab.sending.statistics import SendStatistics
from webhooklab.sent import Attempt

_THREADS: Final = 4


@dataclass(slots=True)
class Parcel:
    """One delivery on its way. `prepare` makes its request anew for each try, on a thread.

    `seq` None: it is of another file, where it is `given_seq`. `number`: of the last try.
    `rounds`: tries that the target knows of.
    """

    given_seq: int
    seq: int | None
    shown: str
    prepare: Callable[[], Outgoing]
    number: int = 0
    rounds: int = 0
    answered: bool = False
    """Its sender has had the target's answer, or that there was none, and tries again itself."""


class Carrier:
    """Carries deliveries to one target, so many at a time. On one loop.

    `patient`: while the target takes no connection, that counts for no try, and none is given up.
    """

    def __init__(
        self,
        sender: str,
        poster: Poster,
        recorder: Recorder,
        retry: Retry,
        *,
        concurrency: int,
        patient: bool,
    ) -> None:
        self.gate = Gate(retry)
        self.statistics = SendStatistics()
        self.replies: Replies | None = None
        """Who waits for answers; None: nobody."""
        self.on_rest: Callable[[], object] = lambda: None
        """Told when a delivery begins to wait for another try."""
        self.resting = 0
        """How many wait for another try."""
        self._sender = sender
        self._poster = poster
        self._recorder = recorder
        self._retry = retry
        self._patient = patient
        self._slots = asyncio.Semaphore(concurrency)
        self._aside = Errands("webhooklab-preparing", _THREADS)

    async def carry(self, parcel: Parcel) -> Outcome | None:
        """Try until the target has it, or no other try may help; None: it is not to be sent."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._retry.retries + 1),
            retry=retry_if_result(lambda outcome: self._goes_on(parcel, outcome)),
            wait=self._retry.wait,
            sleep=self._rest,
            retry_error_callback=_last_outcome,
        )
        try:
            outcome: Outcome | None = await retrying(self._round, parcel)
        except LeftOut as left_out:
            self.statistics.leave_out(str(left_out))
            if self.replies is not None:
                self.replies.nothing(parcel.given_seq)
            return None
        return outcome

    def _goes_on(self, parcel: Parcel, outcome: Outcome) -> bool:
        if parcel.answered or outcome.ok or parcel.rounds > self._retry.retries:
            return False
        return outcome.asked_to_wait if self._retry.when_asked else outcome.may_help

    async def _rest(self, seconds: float) -> None:
        self.resting += 1
        self.on_rest()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.resting -= 1

    async def _round(self, parcel: Parcel) -> Outcome:
        parcel.rounds += 1
        if self.replies is not None and self.replies.awaits(parcel.given_seq):
            parcel.answered = True  # and nothing else may hold it up
            return await self._try(parcel)
        async with self._slots:
            while True:
                async with self.gate.passage():
                    outcome = await self._try(parcel)
                    if self._patient or not outcome.unreachable:
                        self.gate.learn(outcome)
                if not (self._patient and outcome.unreachable) or parcel.answered:
                    return outcome

    async def _try(self, parcel: Parcel) -> Outcome:
        parcel.number += 1
        shown = parcel.shown
        try:
            request = await self._prepared(parcel)
            shown = request.shown
            outcome = await self._poster.send(request)
        except Broken as broken:
            outcome = Outcome(started_at=clock.now_us(), elapsed_ms=0, error=str(broken))
        if self.replies is not None and parcel.number == 1:
            # Who began to wait meanwhile is told now, too.
            parcel.answered = parcel.answered or self.replies.awaits(parcel.given_seq)
            self.replies.settle(parcel.given_seq, outcome)
        patient = self._patient and outcome.unreachable and not parcel.answered
        final = not (patient or self._goes_on(parcel, outcome))
        self.statistics.add(outcome, final=final)
        await self._recorder.add(self._attempt(parcel, shown, outcome, final=final))
        return outcome

    def _attempt(self, parcel: Parcel, shown: str, outcome: Outcome, *, final: bool) -> Attempt:
        return Attempt(
            sender=self._sender,
            seq=parcel.seq,
            given_seq=parcel.given_seq,
            target=shown,
            attempt=parcel.number,
            started_at=outcome.started_at,
            elapsed_ms=outcome.elapsed_ms,
            status=outcome.status,
            error=outcome.error,
            response_headers_json=outcome.kept_headers,
            response_body=outcome.kept_body,
            final=final,
        )

    async def _prepared(self, parcel: Parcel) -> Outgoing:
        """What to send, made on a thread: it reads the file, and calls what users gave."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Outgoing] = loop.create_future()

        def prepare(_: Any) -> None:
            try:
                request = parcel.prepare()
            except Exception as error:
                _tell(loop, made, error=error)
            else:
                _tell(loop, made, request=request)

        self._aside.run(prepare, None)
        return await made


def _tell(
    loop: asyncio.AbstractEventLoop,
    made: asyncio.Future[Outgoing],
    *,
    request: Outgoing | None = None,
    error: Exception | None = None,
) -> None:
    def tell() -> None:
        if made.done():
            return
        if request is not None:
            made.set_result(request)
        else:
            made.set_exception(error or LeftOut("nothing was made"))

    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(tell)


def _last_outcome(state: RetryCallState) -> Outcome:
    assert state.outcome is not None
    found: Outcome = state.outcome.result()
    return found
