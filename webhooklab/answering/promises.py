"""Answers that are known only after the commit: later, or made from the delivery. On one loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from webhooklab.answering.making import Made, Maker, Sender
from webhooklab.answering.rules import Choice
from webhooklab.answering.usual import unavailable
from webhooklab.defaults import ANSWER_CLOSE_SECONDS
from webhooklab.headers import Pair
from webhooklab.records import Answer

logger = logging.getLogger(__name__)

Amend: TypeAlias = Callable[[int, int | None, Callable[[], object]], object]
"""Writes down the status that a delivery's sender gets, then calls back on the loop.

None: it has left.
"""
Note: TypeAlias = Callable[[str | None, int, str], object]
"""Keeps a row about what went wrong: remote, status, reason."""


class Promises:
    """What is promised to senders, from the commit of their deliveries to their answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, amend: Amend, note: Note) -> None:
        self.loop = loop
        self.amend = amend
        self.note = note
        self.closing = False
        self.pending: set[Promise] = set()
        """Those that wait for their time, or for what makes them."""

    def hurry(self) -> None:
        """Answer at once what only waits, and soon what is being made: the Lab closes."""
        self.closing = True
        for promise in list(self.pending):
            promise.hurry()


class Promise:
    """The answer to one delivery, as a rule has chosen it.

    `status` is what is known of it when the delivery is stored; None: that is still to come.
    """

    def __init__(
        self,
        promises: Promises,
        choice: Choice,
        sender: Sender,
        remote: str | None,
        headers: tuple[Pair, ...] = (),
    ) -> None:
        self._promises = promises
        self._choice = choice
        self._sender = sender
        self._remote = remote
        self._headers = headers
        self._seq = 0
        self._timer: asyncio.TimerHandle | None = None
        self._answer: Answer | None = None
        at_once = choice.maker is None and not choice.delay
        self.status = choice.answer.status if at_once else None

    @property
    def over(self) -> bool:
        """Whether there is an answer: another one would come too late."""
        return self._answer is not None

    def keep(self, seq: int) -> None:
        """The delivery is stored: send its answer, or begin to make it."""
        self._seq = seq
        if self.status is not None:
            self._reply(self._choice.answer)
            return
        self._sender.release()
        self._promises.pending.add(self)
        if self._choice.maker is None:
            self._settle(self._choice.answer)
        else:
            self._begin(self._choice.maker)

    def drop(self, answer: Answer) -> None:
        """The delivery could not be stored: it counts for no rule, and this is its answer."""
        self._choice.rule.give_back()
        self._sender.reply(answer)

    def made(self, made: Made) -> None:
        """The answer has been made; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the sender is gone
            self._promises.loop.call_soon_threadsafe(self._take, made)

    def hurry(self) -> None:
        """Answer as soon as can be."""
        if self._answer is None:
            self._allow(ANSWER_CLOSE_SECONDS)
        else:
            self._send(self._answer)

    def _begin(self, maker: Maker) -> None:
        closing = self._promises.closing
        self._allow(min(maker.seconds, ANSWER_CLOSE_SECONDS) if closing else maker.seconds)
        try:
            maker.make(self._seq, self)
        except Exception:
            logger.exception("the answer to delivery %s could not be begun", self._seq)
            problem = f"the answer to delivery {self._seq} could not be begun"
            self._take(Made(unavailable("no answer can be made"), problem))

    def _allow(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._promises.loop.call_later(seconds, self._give_up, seconds)

    def _give_up(self, seconds: float) -> None:
        if self._promises.closing:
            problem = f"there was no answer to delivery {self._seq} when the Lab closed"
            self._take(Made(unavailable("closing"), problem))
        else:
            problem = f"there was no answer to delivery {self._seq} within {seconds:g} s"
            self._take(Made(Answer(504, body=b"it took too long to make the answer"), problem))

    def _take(self, made: Made) -> None:
        if self._answer is not None:
            return
        if made.problem is not None:
            self._promises.note(self._remote, made.answer.status, made.problem)
        self._settle(made.answer)

    def _settle(self, answer: Answer) -> None:
        self._stop_timer()
        self._answer = answer
        if self._choice.delay and not self._promises.closing:
            self._timer = self._promises.loop.call_later(self._choice.delay, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        """Write down what the sender gets, so that its row says so once it knows."""
        self._stop_timer()
        self._promises.pending.discard(self)
        if self._sender.gone:  # its answer is sent all the same, in case that it listens
            self._promises.amend(self._seq, None, lambda: self._sender.reply(answer))
        else:
            self._promises.amend(self._seq, answer.status, lambda: self._reply(answer))

    def _reply(self, answer: Answer) -> None:
        self._choice.rule.answered += 1
        if self._headers:
            answer = replace(answer, headers=(*answer.headers, *self._headers))
        self._sender.reply(answer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
