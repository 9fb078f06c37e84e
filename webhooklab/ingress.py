"""The one way in: a request is limited, interpreted, stored, and only then answered.

Used by everything that receives: the listener now, relay clients and the server extension later.
Runs on one event loop; the commit runs on the store's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from webhooklab import clock
from webhooklab.defaults import (
    MAX_BODIES_IN_FLIGHT_BYTES,
    MAX_BODY_BYTES,
    MAX_HEADER_COUNT,
    RETRY_AFTER_SECONDS,
)
from webhooklab.errors import CaptureFileError
from webhooklab.headers import Pair
from webhooklab.mapping import Interpreter
from webhooklab.records import Arrival, Request
from webhooklab.store import Refusal, Store, Stored

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender gets: a status, headers and a body."""

    status: int = 200
    headers: tuple[Pair, ...] = ()
    body: bytes = b""


OK = Answer()
_PREFLIGHT_ALLOWS = (
    ("Access-Control-Allow-Methods", "*"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Max-Age", "600"),
)

Reply = Callable[[Answer], None]
Waiting = tuple[Arrival, Answer, Reply]


class Ingress:
    """Takes requests on one event loop, and answers each after its commit.

    `allow_origins`: web pages of these origins may read the answers (CORS); "*" means any.
    """

    def __init__(
        self,
        store: Store,
        interpreter: Interpreter,
        loop: asyncio.AbstractEventLoop,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_origins: Sequence[str] = (),
    ) -> None:
        self.interpreter = interpreter
        self.max_body_bytes = max_body_bytes
        self._store = store
        self._loop = loop
        self._allow_origins = frozenset(allow_origins)
        self._waiting: list[Waiting] = []
        self._in_flight_bytes = 0

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
            return _unavailable("too many large bodies at one time")
        return None

    def hold(self, body_bytes: int) -> None:
        """Count bytes that a request holds in memory; negative when it lets go of them."""
        self._in_flight_bytes += body_bytes

    def note_refusal(self, remote: str | None, status: int | None, reason: str) -> None:
        """Keep a row about a request that was not captured. No part of the request is in it."""
        logger.warning("refused a request from %s: %s (%s)", remote, reason, status or "closed")
        refusal = Refusal(clock.now_us(), remote, status, reason)
        self._store.submit([refusal], _ignore_outcome)

    # Capture

    def receive(self, request: Request, reply: Reply) -> None:
        """Capture a request; `reply` is called on the loop when it is stored, or cannot be."""
        answer = self._answer(request)
        interpretation = self.interpreter.interpret(request)
        arrival = Arrival(request, interpretation, answer.status)
        if not self._waiting:
            # All that this turn of the loop brings goes to the store together.
            self._loop.call_soon(self._flush)
        self._waiting.append((arrival, answer, reply))

    def _answer(self, request: Request) -> Answer:
        origin = request.headers.get("origin")
        if origin is None or not ({origin, "*"} & self._allow_origins):
            return OK
        allowed: tuple[Pair, ...] = (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))
        if request.method == "OPTIONS":
            allowed += _PREFLIGHT_ALLOWS
        return Answer(headers=allowed)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._store.submit(
            [arrival for arrival, _, _ in waiting],
            lambda outcome: self._on_stored(waiting, outcome),
        )

    def _on_stored(
        self, waiting: list[Waiting], outcome: Sequence[Stored | None] | CaptureFileError
    ) -> None:
        """On the store's thread."""
        if self._loop.is_closed():
            return  # stored, and its sender is gone
        if isinstance(outcome, CaptureFileError):
            logger.error("a delivery could not be stored, its sender got 503: %s", outcome)
            self._loop.call_soon_threadsafe(_reply_unavailable, waiting)
        else:
            self._loop.call_soon_threadsafe(_reply, waiting)


def _reply(waiting: list[Waiting]) -> None:
    for _, answer, reply in waiting:
        reply(answer)


def _reply_unavailable(waiting: list[Waiting]) -> None:
    for _, _, reply in waiting:
        reply(_unavailable("the delivery could not be stored"))


def _unavailable(why: str) -> Answer:
    return Answer(503, (("Retry-After", str(RETRY_AFTER_SECONDS)),), why.encode())


def _ignore_outcome(outcome: object) -> None:
    """A refusal that could not be stored is still in the log of the process."""
