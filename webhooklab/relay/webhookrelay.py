"""A lab behind buckets of Webhook Relay, by its socket: https://webhookrelay.com.

What it takes is acknowledged by it, before it is here. What was missed while nobody was connected
is asked for by its API; the socket itself begins anew each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection

from webhooklab.defaults import (
    LINK_CONNECT_SECONDS,
    LINK_SEND_SECONDS,
    LINK_WINDOW,
    WEBHOOKRELAY_SILENCE_SECONDS,
)
from webhooklab.errors import ExposureError
from webhooklab.exposure import Behind, checked_address
from webhooklab.handover import Answered
from webhooklab.records import Answer
from webhooklab.relay import webhookrelay_frames as frames
from webhooklab.relay.link import LinkError
from webhooklab.relay.outward import Outward
from webhooklab.relay.received import FrameError
from webhooklab.relay.socket import socket
from webhooklab.relay.webhookrelay_api import Api
from webhooklab.store import Store

VIA: Final = "webhookrelay"
_SERVICE: Final = "https://my.webhookrelay.com"
_TAKEN: Final = 200
"""What its senders get, unless its bucket says otherwise."""


class WebhookRelayExposure(Outward):
    """A lab behind `buckets` of an account; none named: all of them.

    `reply`: what the lab answers goes to Webhook Relay's log, and from there to the sender where
    its input waits for it. `address` is the public URL of the input, as the provider calls it;
    `service` where the socket and the API are; `silence` seconds without a word after which the
    connection is made anew. Raises `ExposureError` without a key.
    """

    via = VIA
    name = VIA
    source = VIA
    deep = False

    def __init__(
        self,
        behind: Behind,
        store: Store,
        *,
        key: str,
        secret: str,
        buckets: Sequence[str] = (),
        reply: bool = False,
        address: str | None = None,
        service: str = _SERVICE,
        silence: float = WEBHOOKRELAY_SILENCE_SECONDS,
    ) -> None:
        self._key, self._secret = credentials(key, secret)
        self._url = checked_address(address) if address else None
        self._service = checked_address(service).rstrip("/")
        self._api = Api(self._service, self._key, self._secret)
        host = urlsplit(service).hostname or ""
        super().__init__(behind, store, host=host, channel=f"{VIA} {self._key}")
        self._buckets = list(buckets)
        self._answering = self._background.call(asyncio.Semaphore, LINK_WINDOW)
        self._tasks: set[asyncio.Task[None]] = set()
        self._reply = reply
        self._silence = silence
        self.answers = reply
        self._begin()

    @property
    def url(self) -> str | None:
        return self._url

    @property
    def notices(self) -> tuple[str, ...]:
        if self._closed:
            return ()
        lost = "" if self._reply else ", and no answer of this lab reaches a sender"
        said = (
            "Webhook Relay answers senders before their delivery is here: what it drops is lost"
            f"{lost}. Paths are lost, and bodies that are no text."
        )
        return (said,)

    @property
    def _closed_words(self) -> str:
        return "closed, Webhook Relay still takes what is sent"

    def revoke(self) -> None:
        """Close: inputs and tokens are taken back at https://my.webhookrelay.com."""
        self.close()

    def blame(self, status: int | None) -> str:
        answered = "nothing answers" if status is None else f"something answers {status}"
        return (
            f"At {self._url} {answered}: see that it is an input of the buckets that this lab is "
            f"subscribed to, and that the lab is connected ({self.state})."
        )

    # The socket

    async def _attend(self) -> None:
        url = f"ws{self._service.removeprefix('http')}/v1/socket"
        since = self._heard_at
        async with socket(url, pings=False) as connection:
            await self._subscribe(connection)
            self._link.connected()
            await self._desk.forget_old_marks()
            await self._capture_missed(since)
            while True:
                await self._take(connection, await self._next(connection, self._silence))

    async def _subscribe(self, connection: ClientConnection) -> None:
        steps = (
            (frames.authentication(self._key, self._secret), frames.AUTHENTICATED),
            (frames.subscription(self._buckets), frames.SUBSCRIBED),
        )
        for said, awaited in steps:
            await _send(connection, said)
            status = await self._status(connection)
            if status == frames.UNAUTHORIZED:
                raise LinkError("it does not accept the key and secret: see that they are right")
            if status != awaited:
                raise LinkError(f"it does not say {awaited!r}")

    async def _status(self, connection: ClientConnection) -> str:
        """The next status that says something."""
        while True:
            frame = frames.read(await self._next(connection, LINK_CONNECT_SECONDS))
            if isinstance(frame, frames.Webhook):
                await self._capture_new(frame)
            elif frame is not None and frame.status != frames.PING:
                return frame.status
            elif frame is not None:
                await _send(connection, frames.PONG)

    async def _next(self, connection: ClientConnection, seconds: float) -> str:
        async with asyncio.timeout(seconds):
            text = await connection.recv(decode=True)
        self._hear()
        return text

    async def _take(self, connection: ClientConnection, text: str) -> None:
        try:
            frame = frames.read(text)
        except FrameError as error:
            await self._desk.note(f"{error}, and is left out")
            return
        if isinstance(frame, frames.Webhook):
            await self._capture_new(frame)
        elif frame is not None and frame.status == frames.PING:
            await _send(connection, frames.PONG)
        elif frame is not None and frame.status == frames.UNAUTHORIZED:
            raise LinkError("it does not accept the key and secret any more")

    async def _capture_new(self, webhook: frames.Webhook) -> None:
        """Have it captured; where its sender waits, the next one need not wait for its answer."""
        if not self._reply:
            await self._capture(webhook)
            return
        await self._answering.acquire()
        task = asyncio.create_task(self._capture_and_answer(webhook))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _capture(
        self, webhook: frames.Webhook, answered: int | None = _TAKEN
    ) -> Answered | None:
        passage = self._desk.passage(webhook.id or None, answered, self._url)
        return await self._desk.keep(webhook.received, passage)

    async def _capture_and_answer(self, webhook: frames.Webhook) -> None:
        try:
            given = await self._capture(webhook, None)
        finally:
            self._answering.release()
        if given is not None and webhook.id:
            await self._answer(webhook, Answer(given.status, given.headers, given.body))

    async def _capture_missed(self, since: int) -> None:
        """Capture what came since then (us); what is here already is not kept twice."""
        try:
            async with aclosing(self._api.missed(self._buckets)) as missed:
                async for webhook in missed:
                    await self._capture(webhook)
        except (LinkError, FrameError) as error:
            await self._desk.note(f"not all that was missed can be asked for ({error})")
            await self._miss(since)

    async def _answer(self, webhook: frames.Webhook, given: Answer) -> None:
        try:
            await self._api.answer(webhook, given)
        except LinkError as error:
            await self._desk.note(f"an answer was not taken ({error})")


def credentials(key: str, secret: str) -> tuple[str, str]:
    """Key and secret as they are sent. Raises `ExposureError` where there are none."""
    found = frames.credentials(key, secret)
    if not found[1]:
        raise ExposureError(
            "Webhook Relay wants a key and a secret: make them at "
            'https://my.webhookrelay.com/tokens, and pass them: lab.expose("webhookrelay", '
            "key=..., secret=..., buckets=[...])."
        )
    return found


async def _send(connection: ClientConnection, text: str) -> None:
    async with asyncio.timeout(LINK_SEND_SECONDS):
        await connection.send(text)
