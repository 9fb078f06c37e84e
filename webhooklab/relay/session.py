"""One connection to a relay of ours, from hello to its end."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from websockets.asyncio.client import ClientConnection

from webhooklab import clock
from webhooklab.defaults import LINK_CONNECT_SECONDS, LINK_SEND_SECONDS, LINK_WINDOW, SETTLE_EVERY
from webhooklab.handover import Answered
from webhooklab.headers import BODILESS
from webhooklab.relay.decoding import decode_from_relay
from webhooklab.relay.desk import Desk
from webhooklab.relay.limits import (
    ANSWER_SECONDS,
    MAX_ANSWER_BYTES,
    MAX_HEADERS,
    MAX_HEADERS_BYTES,
)
from webhooklab.relay.link import LinkError, pauses
from webhooklab.relay.progress import Progress
from webhooklab.relay.protocol import Ack, Answer, Delivery, FromRelay, Gap, Hello, Ready, encode
from webhooklab.relay.received import Received

_ACCEPTED: Final = HTTPStatus.ACCEPTED
"""What a sender has got that did not wait for the lab, or not for long enough."""


class Session:
    """Takes in what comes on one connection, and acknowledges what is committed.

    Deliveries whose senders wait are handed over `LINK_WINDOW` at a time, the others one after the
    other, in the order in which they came to the relay. `made_at` (us): nothing is older.
    """

    def __init__(self, connection: ClientConnection, desk: Desk, made_at: int) -> None:
        self._connection = connection
        self._desk = desk
        self._made_at = made_at
        self._turns = asyncio.Semaphore(LINK_WINDOW)
        self._moved = asyncio.Event()
        self._unheard_since: int | None = None
        self._head = 0

    async def run(self) -> None:
        """Until the connection ends; raises why. All that it has begun ends with it."""
        self._progress = Progress(await self._desk.reached())
        await self._desk.settle(self._progress.reached)
        await self._send(encode(Hello(self._progress.reached)))
        await self._ready()
        self._desk.link.connected()
        self._show()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._acknowledge())
                await self._read(group)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _ready(self) -> None:
        async with asyncio.timeout(LINK_CONNECT_SECONDS):
            ready = await self._next()
        if not isinstance(ready, Ready):
            raise LinkError("it does not say that it is ready")
        self._head = ready.head

    async def _read(self, group: asyncio.TaskGroup) -> None:
        while True:
            frame = await self._next()
            if isinstance(frame, Gap):
                await self._take_gap(frame)
            elif isinstance(frame, Delivery):
                await self._take(frame, group)

    async def _next(self) -> FromRelay:
        """The next frame. That the relay is still there, the library finds out by its pings."""
        return decode_from_relay(await self._connection.recv())

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(LINK_SEND_SECONDS):
            await self._connection.send(text)

    # Deliveries

    async def _take(self, delivery: Delivery, group: asyncio.TaskGroup) -> None:
        await self._close_gap(delivery.received_at)
        self._head = max(self._head, delivery.sequence)
        if not self._progress.came(delivery.sequence):
            return
        self._show()
        if delivery.waiting:
            await self._turns.acquire()
            group.create_task(self._answer(delivery, clock.monotonic()))
        else:
            await self._hand(delivery)

    async def _hand(self, delivery: Delivery) -> Answered:
        """Hand it over until it is settled: the relay keeps it as long as we have not said so."""
        answered = None if delivery.waiting else int(_ACCEPTED)
        passage = self._desk.passage(delivery.sequence, answered, _base_of(delivery))
        given = await self._desk.hand(_received(delivery), passage)
        for seconds in pauses():
            if given is not None:
                break
            await asyncio.sleep(seconds)
            given = await self._desk.hand(_received(delivery), passage)
        assert given is not None  # pauses do not end
        self._progress.committed(delivery.sequence)
        self._moved.set()
        return given

    async def _answer(self, delivery: Delivery, begun: float) -> None:
        try:
            given = await self._hand(delivery)
        finally:
            self._turns.release()
        late = clock.monotonic() - begun > ANSWER_SECONDS
        if not late and _can_be_given(given):
            body = b"" if given.status in BODILESS else given.body
            answer = Answer(delivery.sequence, given.status, given.headers, body)
            await self._send(encode(answer))
        elif given.committed is not None and given.status != _ACCEPTED:
            await self._desk.amend(given.committed, _ACCEPTED)

    # What is acknowledged

    async def _acknowledge(self) -> None:
        settled = said = self._progress.reached
        while True:
            await self._moved.wait()
            self._moved.clear()
            if self._progress.reached > said:
                said = self._progress.reached
                await self._send(encode(Ack(said)))
                self._show()
            if said - settled >= SETTLE_EVERY:
                settled = said
                await self._desk.settle(settled)

    def _show(self) -> None:
        self._desk.link.behind = max(0, self._head - self._progress.reached)

    # What the relay has dropped

    async def _take_gap(self, gap: Gap) -> None:
        count = gap.last - gap.first + 1
        self._desk.link.dropped += count
        await self._desk.note(
            f"it has dropped {count} deliveries ({gap.first} to {gap.last}) before they came here"
        )
        came = await self._desk.last_came()
        self._unheard_since = self._unheard_since or came or self._made_at
        if gap.last >= self._head:
            await self._close_gap(clock.now_us())

    async def _close_gap(self, until: int) -> None:
        """What was dropped came before this."""
        since, self._unheard_since = self._unheard_since, None
        if since is not None:
            await self._desk.unheard(since, max(since, until))


def _received(delivery: Delivery) -> Received:
    return Received(
        method=delivery.method,
        target=delivery.target,
        headers=delivery.headers,
        body=delivery.body,
        received_at=delivery.received_at,
        remote=delivery.remote,
    )


def _base_of(delivery: Delivery) -> str | None:
    """What the provider calls, but for the target; None where the two do not fit together."""
    if not delivery.url.endswith(delivery.target):
        return None
    return delivery.url.removesuffix(delivery.target) + "/"


def _can_be_given(given: Answered) -> bool:
    """Whether a relay takes it as an answer."""
    length = sum(len(name) + len(value) for name, value in given.headers)
    few = len(given.headers) <= MAX_HEADERS and length <= MAX_HEADERS_BYTES
    return few and len(given.body) <= MAX_ANSWER_BYTES and 200 <= given.status < 600
