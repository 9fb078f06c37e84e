"""A lab exposed by a channel of smee.io or of gosmee, which speak server-sent events.

What they take is acknowledged by them, before it is here; what they hand on while nobody listens is
gone (gosmee can keep it, if it has a Redis).
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from webhooklab.codings import IDENTITY
from webhooklab.defaults import (
    LINK_CONNECT_SECONDS,
    MAX_LINK_FRAME_BYTES,
    SMEE_SILENCE_SECONDS,
)
from webhooklab.errors import ExposureError
from webhooklab.exposure import Behind, checked_address
from webhooklab.relay.link import LinkError
from webhooklab.relay.outward import Outward
from webhooklab.relay.received import FrameError
from webhooklab.relay.smee_frames import GAP, QUIET, delivery
from webhooklab.relay.sse import ServerSentEvent, ServerSentEvents
from webhooklab.store import Store

VIA: Final = "smee"
HOST: Final = "smee.io"
_STREAM: Final = "text/event-stream"
_LASTING_ID: Final = re.compile(r"[0-9]{10,20}-[0-9]{1,20}")
"""An event's id as gosmee with a Redis gives it; others begin anew with each connection."""


class SmeeExposure(Outward):
    """A lab behind the channel at `address`: who sends there has its 200 before the lab knows.

    `silence`: seconds without a word after which the connection is made anew. Raises
    `ExposureError` for what is no channel's address.
    """

    via = VIA
    name = VIA
    source = VIA
    answers = False
    deep = False

    def __init__(
        self,
        behind: Behind,
        store: Store,
        address: str,
        *,
        silence: float = SMEE_SILENCE_SECONDS,
    ) -> None:
        self._url = channel_url(address)
        host = urlsplit(self._url).hostname or ""
        super().__init__(behind, store, host=host, channel=f"{VIA} {self._url}")
        self._silence = silence
        self._places = _places_of(self._url)
        self._away_since = self._heard_at
        mark = self._desk.newest_mark()
        self._last_id = mark if isinstance(mark, str) and _LASTING_ID.fullmatch(mark) else ""
        self._begin()

    @property
    def url(self) -> str:
        return self._url

    @property
    def notices(self) -> tuple[str, ...]:
        if self._closed:
            return ()
        said = (
            f"{self._link.host} answers senders before their delivery is here: what it hands on "
            "while this lab is not connected is lost, bodies may be written anew, and no answer "
            "of this lab reaches a sender."
        )
        return (said,)

    @property
    def _closed_words(self) -> str:
        return f"closed, {self._link.host} still answers senders, and nobody gets what they send"

    def revoke(self) -> None:
        """Close: the channel is the relay's, and cannot be taken back. Take another one."""
        self.close()

    # The stream

    async def _attend(self) -> None:
        problem = ""
        timeout = httpx.Timeout(LINK_CONNECT_SECONDS, read=self._silence)
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            for place in self._places:
                async with client.stream("GET", place, headers=self._headers) as response:
                    problem = problem or _problem(response)
                    if not _problem(response):
                        self._places = (place,)
                        await self._read(response)
                        return
        raise LinkError(problem)

    @property
    def _resumes(self) -> bool:
        """Whether what is sent while this is not connected comes later."""
        return _LASTING_ID.fullmatch(self._last_id) is not None

    async def _ended(self) -> None:
        await self._miss_what_is_not_resumed()

    async def _miss_what_is_not_resumed(self) -> None:
        if not self._resumes:
            await self._miss(self._heard_at)

    @property
    def _headers(self) -> dict[str, str]:
        resume = {"Last-Event-ID": self._last_id} if self._resumes else {}
        asked = {"Accept": _STREAM, "Accept-Encoding": IDENTITY, "Cache-Control": "no-cache"}
        return {**asked, **resume}

    async def _read(self, response: httpx.Response) -> None:
        self._away_since = self._heard_at
        self._link.connected()
        await self._miss_what_is_not_resumed()
        await self._desk.forget_old_marks()
        events = ServerSentEvents(MAX_LINK_FRAME_BYTES, self._last_id)
        async for chunk in response.aiter_raw():
            self._hear()
            for event in events.feed(chunk):
                await self._take(event)

    async def _take(self, event: ServerSentEvent) -> None:
        if event.name == GAP:
            await self._desk.note("it no longer has all that was sent while this lab was away")
            await self._miss(self._away_since)
        elif event.data is None:
            await self._desk.note(
                f"a delivery of more than {MAX_LINK_FRAME_BYTES:,} bytes is left out"
            )
        elif event.name not in QUIET:
            await self._take_delivery(event)
        self._last_id = event.last_id

    async def _take_delivery(self, event: ServerSentEvent) -> None:
        try:
            received = await asyncio.to_thread(delivery, event.data or "")
        except FrameError as error:
            await self._desk.note(f"{error}, and is left out")
            return
        if received is not None:
            mark = event.own_id if _LASTING_ID.fullmatch(event.own_id or "") else None
            await self._desk.keep(received, self._desk.passage(mark, received.answered, self._url))

    def blame(self, status: int | None) -> str:
        if status is None:
            return f"Nothing answers at {self._link.host}: see that it runs, and can be reached."
        return (
            f"{self._link.host} answers {status}: see that {self._url} is the channel that this "
            f"lab is connected to, and that it is ({self.state}). It takes POST of JSON only."
        )


def channel_url(address: str) -> str:
    """The address of a channel, without a slash at its end. Raises `ExposureError`."""
    url = checked_address(address).rstrip("/")
    if not urlsplit(url).path.strip("/"):
        raise ExposureError(
            f"{address!r} names no channel: open https://smee.io/new in a browser, and pass "
            "the address that it leads to."
        )
    return url


def is_channel(address: str) -> bool:
    """Whether a stream of events is at an address, or where gosmee has it. Asks, and waits."""
    timeout = httpx.Timeout(LINK_CONNECT_SECONDS)
    with suppress(httpx.HTTPError), httpx.Client(timeout=timeout, follow_redirects=False) as client:
        for place in _places_of(address.rstrip("/")):
            with client.stream("GET", place, headers={"Accept": _STREAM}) as response:
                if not _problem(response):
                    return True
    return False


def _problem(response: httpx.Response) -> str:
    """What is wrong with what should be a stream of events; "" for one that is."""
    if response.status_code != HTTPStatus.OK:
        return f"it answers {response.status_code}"
    if response.headers.get("content-type", "").partition(";")[0].strip() != _STREAM:
        return "what answers there is no event stream"
    return ""


def _places_of(url: str) -> tuple[str, ...]:
    """Where a channel's events may be: smee has them at the channel itself, gosmee elsewhere."""
    base, _, channel = url.rpartition("/")
    return url, f"{base}/events/{channel}"
