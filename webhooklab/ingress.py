"""The one way in: a request is limited, interpreted, stored, and only then answered.

The listener's connections hand in what they receive. What receives elsewhere (a relay's reader, a
Jupyter server) sends it to the listener, in an envelope. Runs on one event loop; the commit runs on
the store's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

from webhooklab import clock, envelope
from webhooklab.answering import OK, Promise, Promises, Rules, Sender, unavailable
from webhooklab.checking import Checks
from webhooklab.defaults import (
    MAX_BODIES_IN_FLIGHT_BYTES,
    MAX_BODY_BYTES,
    MAX_HEADER_COUNT,
)
from webhooklab.errors import CaptureFileError
from webhooklab.gates import Gates
from webhooklab.headers import Headers, Pair
from webhooklab.mapping import Interpreter
from webhooklab.providers import handshake_answer
from webhooklab.records import UNAUTHORIZED, Answer, Arrival, Interpretation, Request
from webhooklab.refusals import refusal
from webhooklab.signatures import UNCHECKED, Verification
from webhooklab.store import Amendment, Outcome, Refusal, Repeated, Store, Stored

logger = logging.getLogger(__name__)

_PREFLIGHT_ALLOWS: Final = (
    ("Access-Control-Allow-Methods", "*"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Max-Age", "600"),
)


Waiting: TypeAlias = tuple[Arrival, Answer | Promise, Sender | None]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A request as `refusals` looks at it."""

    headers: Headers
    verified: str


class Ingress:
    """Takes requests on one event loop, and answers each after its commit.

    `allow_origins`: web pages of these origins may read the answers (CORS); "*" means any.
    `handshakes`: answer those of the providers.
    """

    def __init__(
        self,
        store: Store,
        interpreter: Interpreter,
        loop: asyncio.AbstractEventLoop,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_origins: Sequence[str] = (),
        handshakes: bool = True,
    ) -> None:
        self.interpreter = interpreter
        self.max_body_bytes = max_body_bytes
        self.envelope_key = envelope.new_key()
        """Who has it may hand on what others sent, as if they had sent it here."""
        self.gates = Gates()
        """What comes by a tunnel must pass these."""
        self.checks = Checks()
        """By which secrets signatures are checked; without a check they are "unchecked"."""
        self._handshakes = handshakes
        self._store = store
        self._loop = loop
        origins = (allow_origins,) if isinstance(allow_origins, str) else allow_origins
        self._allow_origins = frozenset(origins)
        self.rules = Rules()
        """What senders get; without a rule it is a 200."""
        self._promises = Promises(loop, self._amend, self._note)
        self._waiting: list[Waiting] = []
        self._in_flight_bytes = 0
        self._not_stored = 0
        self.lost = 0
        """How many requests may have been events that we did not keep, or not understand."""

    # Limits, before the body is read

    def refuse_head(self, headers: Sequence[Pair], body_bytes: int) -> Answer | None:
        """The answer to a request that must not be read further; None when it may."""
        if len(headers) > MAX_HEADER_COUNT:
            return Answer(431, body=f"more than {MAX_HEADER_COUNT} headers".encode())
        return self.refuse_body(0, body_bytes)

    def refuse_body(self, held_bytes: int, more_bytes: int) -> Answer | None:
        """The answer to a body of which `held_bytes` are held; None when more may come."""
        if held_bytes + more_bytes > self.max_body_bytes:
            return Answer(413, body=f"a body of more than {self.max_body_bytes} bytes".encode())
        if self._in_flight_bytes + more_bytes > MAX_BODIES_IN_FLIGHT_BYTES:
            return unavailable("too many large bodies at one time")
        return None

    def hold(self, body_bytes: int) -> None:
        """Count bytes that a request holds in memory; negative when it lets go of them."""
        self._in_flight_bytes += body_bytes

    def note_refusal(self, remote: str | None, status: int | None, reason: str) -> None:
        """Keep a row about a request that was not captured. No part of the request is in it."""
        logger.info("refused a request from %s: %s (%s)", remote, reason, status or "closed")
        if status != HTTPStatus.NOT_FOUND:  # that one was not sent to our URL
            self.lost += 1
        self._note(remote, status, reason)

    def _note(self, remote: str | None, status: int | None, reason: str) -> None:
        row = Refusal(clock.now_us(), remote, status, reason)
        self._store.submit([row], _ignore_outcome)

    # Capture

    def receive(self, request: Request, sender: Sender | None) -> None:
        """Capture a request; `sender` is answered on the loop when it is stored, or cannot be.

        None: its sender has gone already, and gets no answer.
        """
        interpretation = self._interpret(request)
        if len(interpretation.items) not in (0, interpretation.event_count):
            self.lost += 1  # more events than are kept of one batch
        verification, refused = self._verify(request, interpretation)
        answered = request.passage.answered if request.passage else None
        answer: Answer | Promise
        answer = usual = self._usual_answer(request)
        if answered is not None:
            answer = OK  # to the relay's client; the sender has had its answer
        elif refused:
            answer = UNAUTHORIZED
        elif greeting := self._greeting(request, interpretation, verification):
            answer = greeting
        elif self.rules.active and sender is not None:
            answer = self._by_rule(request, sender, usual, verification)
        status = answered if answered or sender is None else answer.status
        arrival = Arrival(request, interpretation, status, verification)
        if not self._waiting:
            # All that this turn of the loop brings goes to the store together.
            self._loop.call_soon(self.flush)
        self._waiting.append((arrival, answer, sender))

    def _interpret(self, request: Request) -> Interpretation:
        try:
            return self.interpreter.interpret(request)
        except Exception:  # whatever is wrong with our understanding, the request is kept
            logger.exception("a request could not be interpreted; it is captured all the same")
            self.lost += 1  # nobody knows what it speaks of
            return Interpretation()

    def _verify(
        self, request: Request, interpretation: Interpretation
    ) -> tuple[Verification, bool]:
        """What its signature is worth, and whether its sender is to be told so."""
        if not self.checks.active:
            return UNCHECKED, False
        try:
            return self.checks.verify(request, interpretation.provider)
        except Exception:  # a check that we got wrong must not lose the delivery
            logger.exception("a signature could not be checked")
            return Verification("unverifiable", "the check failed: see the log"), False

    def _greeting(
        self, request: Request, interpretation: Interpretation, verification: Verification
    ) -> Answer | None:
        """The answer to a provider's handshake, if this is one."""
        provider = interpretation.provider
        if interpretation.event_count or provider is None or not self._handshakes:
            return None
        check = self.checks.find(request.path, provider)
        own = check if check is not None and check.provider == provider else None
        secret = own.secret if own is not None else None
        is_forged = own is not None and verification.status == "invalid"
        try:
            return handshake_answer(request, provider, secret, is_forged=is_forged)
        except Exception:  # one that a user has registered; the delivery is kept all the same
            logger.exception("a handshake could not be answered")
            return None

    def _usual_answer(self, request: Request) -> Answer:
        origin = request.headers.get("origin")
        if origin is None or not ({origin, "*"} & self._allow_origins):
            return OK
        allowed: tuple[Pair, ...] = (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))
        if request.method == "OPTIONS":
            allowed += _PREFLIGHT_ALLOWS
        return Answer(headers=allowed)

    def _by_rule(
        self, request: Request, sender: Sender, usual: Answer, verification: Verification
    ) -> Answer | Promise:
        """What the user has said that this sender gets, else the usual answer."""
        if usual.headers and request.method == "OPTIONS":
            return usual  # a browser asks whether the page may send, and this lets it
        judged = _Judged(request.headers, verification.status)
        made = refusal(judged, allow_origins=self._allow_origins) is None
        choice = self.rules.choose(request.path, made=made)
        if choice is None:
            return usual
        return Promise(self._promises, choice, sender, request.remote, usual.headers)

    def flush(self) -> None:
        """Submit to the store, now, what this turn of the loop has brought."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._store.submit(
                [arrival for arrival, _, _ in waiting],
                lambda outcomes: self._on_outcomes(waiting, outcomes),
            )

    def _on_outcomes(self, waiting: list[Waiting], outcomes: Sequence[Outcome]) -> None:
        """On the store's thread."""
        if not self._loop.is_closed():  # else it is stored, and its sender is gone
            self._loop.call_soon_threadsafe(self._reply, waiting, outcomes)

    def _reply(self, waiting: list[Waiting], outcomes: Sequence[Outcome]) -> None:
        for (_, answer, sender), outcome in zip(waiting, outcomes, strict=True):
            try:
                failure = self._failure(outcome)
                if sender is not None and isinstance(outcome, Stored | Repeated):
                    sender.stored(outcome.seq)
                if isinstance(answer, Promise):
                    _resolve(answer, outcome, failure or _repeated(outcome))
                elif sender is not None:
                    sender.reply(failure or answer)
                elif isinstance(outcome, Stored):
                    self._amend(outcome.seq, None, _nothing)
            except Exception:  # the others are to have their answers
                logger.exception("a sender could not be answered")

    def _failure(self, outcome: Outcome) -> Answer | None:
        """The answer to what could not be stored; None to what was."""
        if isinstance(outcome, CaptureFileError):
            if not self._not_stored:
                logger.error("deliveries cannot be stored, their senders get 503: %s", outcome)
            self._not_stored += 1
            self.lost += 1
            return unavailable("the delivery could not be stored")
        if self._not_stored:
            count, self._not_stored = self._not_stored, 0
            self.note_refusal(None, 503, f"{count} deliveries could not be stored until now")
        return None

    # Answers that come after the commit

    def hurry(self) -> None:
        """Answer soon what has been promised: the listener is closing. On the loop."""
        self._promises.hurry()

    def _amend(self, seq: int, status: int | None, then: Callable[[], object]) -> None:
        def on_outcomes(outcomes: Sequence[Outcome]) -> None:
            # Whether it could be written down or not, the sender is to have its answer.
            if isinstance(outcomes[0], CaptureFileError):
                logger.warning(
                    "the answer to delivery %s could not be written down: %s", seq, outcomes[0]
                )
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(then)

        self._store.submit([Amendment(seq, status)], on_outcomes)


def _repeated(outcome: Outcome) -> Answer | None:
    """The answer to what had been stored before: no rule is asked again."""
    return OK if isinstance(outcome, Repeated) else None


def _resolve(promise: Promise, outcome: Outcome, failure: Answer | None) -> None:
    if failure is None:
        assert isinstance(outcome, Stored)
        promise.keep(outcome.seq)
    else:
        promise.drop(failure)


def _nothing() -> None:
    """Nobody waits for this."""


def _ignore_outcome(outcomes: object) -> None:
    """A refusal that could not be stored is still in the log of the process."""
