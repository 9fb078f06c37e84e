"""The relay without its sockets: channels, deliveries, readers. On one event loop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from webhooklab import clock
from webhooklab.answering import unavailable
from webhooklab.defaults import MAX_BODIES_IN_FLIGHT_BYTES, MAX_HEADER_COUNT
from webhooklab.errors import CaptureFileError, StoreError
from webhooklab.headers import Pair
from webhooklab.records import Answer
from webhooklab.relay.limits import NEW_PER_SECOND, SWEEP_REST_SECONDS, SWEEP_SECONDS
from webhooklab.relay.protocol import Channel, Closing, Hello
from webhooklab.relay.server.budget import new_budget
from webhooklab.relay.server.changes import (
    Acknowledge,
    Begin,
    Drop,
    Dropped,
    GiveUp,
    Make,
    Post,
    Refused,
)
from webhooklab.relay.server.committing import Commits, Outcome
from webhooklab.relay.server.file import Head, Known, RelayFile
from webhooklab.relay.server.keys import hashed, new_keys, opens
from webhooklab.relay.server.rates import Rates, nearby
from webhooklab.relay.server.session import (
    ACCEPTED,
    ROUTE,
    Link,
    Session,
    Waiter,
)
from webhooklab.relay.server.settings import Settings

_NOBODY: Final = hashed("")
_TOKEN: Final = re.compile(r"(?:https?://[^/?#]*)?/h/([0-9A-Za-z_-]{43})((?:[/?].*)?)")
"""A target, maybe in its absolute form (RFC 9112, section 3.2.2): the token, and the rest."""
NOTHING_HERE: Final = Answer(404, body=b"there is nothing at this address")
_NOT_STORED: Final = unavailable("the relay cannot store anything at present")
_ANSWERS: Final = {
    Refused.GONE: NOTHING_HERE,
    Refused.FULL: unavailable(Refused.FULL.value),
    Refused.TOO_MANY: unavailable(Refused.TOO_MANY.value),
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where a delivery goes: its channel, and what the sender called after the token."""

    known: Known
    rest: str


class Relay:
    """What a relay does, over its file. `start` and `stop` on the loop."""

    def __init__(self, file: RelayFile, settings: Settings) -> None:
        self.settings = settings
        self._file = file
        self._sessions: dict[int, Session] = {}
        self._rates = Rates(settings.rate_per_second, settings.rate_burst)
        self._new = Rates(NEW_PER_SECOND, settings.new_burst)
        self._budget = new_budget()
        self._in_flight_bytes = 0
        self._commits = Commits(file)
        self._timer: asyncio.TimerHandle | None = None
        self._started = clock.monotonic()

    def start(self) -> None:
        """Drop what is no longer kept, from now on."""
        self._sweep()

    def stop(self) -> None:
        """Tell the readers to come back."""
        if self._timer is not None:
            self._timer.cancel()
        for session in list(self._sessions.values()):
            session.close(Closing.GOING_AWAY)

    # Senders

    def door(self, target: str) -> Door | Answer:
        """The channel that a target leads to, or the answer: it is unknown, or sent too often."""
        match = _TOKEN.fullmatch(target)
        if match is None:
            return NOTHING_HERE
        try:
            known = self._file.by_token(match[1])
        except StoreError:
            return _NOT_STORED
        if known is None:
            return NOTHING_HERE
        wait = self._rates.refusal(known.id, clock.monotonic())
        if wait is not None:
            return Answer(429, (("Retry-After", str(wait)),), b"too many deliveries")
        return Door(known, match[2])

    def refuse_head(self, door: Door, headers: Sequence[Pair], body_bytes: int) -> Answer | None:
        """The answer to a request that must not be read further; None when it may."""
        if len(headers) > MAX_HEADER_COUNT:
            return Answer(431, body=f"more than {MAX_HEADER_COUNT} headers".encode())
        known = door.known
        if (
            known.queued >= self.settings.queue_rows
            or known.queued_bytes + body_bytes > self.settings.queue_bytes
        ):
            return _ANSWERS[Refused.FULL]
        return self.refuse_body(0, body_bytes)

    def refuse_body(self, held_bytes: int, more_bytes: int) -> Answer | None:
        """The answer to a body of which `held_bytes` are held; None when more may come."""
        limit = self.settings.max_body_bytes
        if held_bytes + more_bytes > limit:
            return Answer(413, body=f"a body of more than {limit} bytes".encode())
        if self._in_flight_bytes + more_bytes > MAX_BODIES_IN_FLIGHT_BYTES:
            return unavailable("too many large bodies at one time")
        return None

    def hold(self, body_bytes: int) -> None:
        """Count bytes that a request holds in memory; negative when it lets go of them."""
        self._in_flight_bytes += body_bytes

    def take(self, door: Door, received_at: int, head: Head, body: bytes, sender: Waiter) -> None:
        """Commit a delivery; then its sender is answered by the lab, or gets 202."""
        channel = door.known.id
        post = Post(channel, received_at, head.packed(), body)
        self._commits.submit(post, lambda became: self._taken(channel, became, sender))

    def _taken(self, channel: int, became: Outcome, sender: Waiter) -> None:
        session = self._sessions.get(channel)
        if not isinstance(became, int):
            sender.reply(_failure(became))
        elif session is None or not session.answers:
            sender.reply(ACCEPTED)
        else:
            session.wait(became, sender)
            session.look()

    # Readers

    def reader(self, name: str, authorization: str | None) -> tuple[Known, str] | None:
        """The channel that may be read with this header, and its key; None: no such, or wrong.

        Raises `StoreError`.
        """
        scheme, _, key = (authorization or "").partition(" ")
        known = self._file.by_name(name)
        # Compared in any case, so that it takes the same time.
        right = opens(key.strip(), known.key_hash if known else _NOBODY)
        return (known, key.strip()) if known and right and scheme.lower() == "bearer" else None

    def attach(self, known: Known, key: str, link: Link) -> Session:
        """A reader's session; it begins with its `hello`."""
        return Session(
            known,
            key,
            link,
            file=self._file,
            budget=self._budget,
            commit_ack=lambda sequence, then: self._commits.submit(
                Acknowledge(known.id, sequence, clock.now_us()), lambda _: then()
            ),
        )

    def hello(self, session: Session, hello: Hello) -> None:
        """A reader says what it has. Another one of this channel is closed."""
        earlier = self._sessions.get(session.channel)
        self._sessions[session.channel] = session
        if earlier is not None:
            earlier.close(Closing.TAKEN_OVER)
        begin = Begin(session.channel, hello.after, clock.now_us())
        self._commits.submit(begin, lambda became: self._begun(session, hello, became))

    def _begun(self, session: Session, hello: Hello, became: Outcome) -> None:
        if session.ended:
            return
        if isinstance(became, int):
            session.begin(hello.after, became)
        else:
            gone = became is Refused.GONE
            session.close(Closing.GIVEN_UP if gone else Closing.GOING_AWAY)

    def detach(self, session: Session) -> None:
        """A reader's link has ended."""
        session.end()
        if self._sessions.get(session.channel) is session:
            del self._sessions[session.channel]

    # Channels

    async def make(self, address: str, origin: str) -> Channel | Answer:
        """A new channel for who asks from this address; or why there is none."""
        wait = self._new.refusal(nearby(address), clock.monotonic())
        if wait is not None:
            return Answer(429, (("Retry-After", str(wait)),), b"too many new channels")
        keys = new_keys()
        became = await self._commits.result_of(Make(keys, nearby(address), clock.now_us()))
        if not isinstance(became, int):
            return _failure(became)
        return Channel(f"{origin}{ROUTE}{keys.token}/", keys.name, keys.key)

    async def give_up(self, known: Known) -> Answer:
        """End a channel for good: what is sent to it is 404 from now on."""
        became = await self._commits.result_of(GiveUp(known.id))
        if isinstance(became, CaptureFileError):
            return _failure(became)
        self._send_off(known.id)
        return Answer(204)

    def _send_off(self, channel: int) -> None:
        session = self._sessions.pop(channel, None)
        if session is not None:
            session.close(Closing.GIVEN_UP)

    # Health

    def health(self) -> dict[str, str | int]:
        """How it is, without a word about any channel."""
        totals = self._file.totals
        return {
            "status": "cannot store" if self._commits.failing else "ok",
            "uptime_seconds": int(clock.monotonic() - self._started),
            "channels": totals.channels,
            "readers": len(self._sessions),
            "queued": totals.queued,
            "queued_bytes": totals.queued_bytes,
        }

    # What is no longer kept

    def _sweep(self) -> None:
        now = clock.monotonic()
        self._rates.forget(now)
        self._new.forget(now)
        self._commits.submit(Drop(clock.now_us(), frozenset(self._sessions)), self._swept)

    def _swept(self, became: Outcome) -> None:
        seconds = SWEEP_SECONDS
        if isinstance(became, Dropped):
            for channel in became.given_up:
                self._send_off(channel)
            seconds = SWEEP_REST_SECONDS if became.more else SWEEP_SECONDS
        self._timer = asyncio.get_running_loop().call_later(seconds, self._sweep)


def _failure(outcome: Outcome) -> Answer:
    return _ANSWERS[outcome] if isinstance(outcome, Refused) else _NOT_STORED
