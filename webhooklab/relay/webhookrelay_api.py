"""What Webhook Relay has besides its socket: what was missed, and where answers go.

https://webhookrelay.com/docs/webhooks/polling-webhooks/: at first one page led to the next by a
cursor, by now each call hands out what nobody has got yet. Both are understood.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import quote

import httpx

from webhooklab.codings import IDENTITY
from webhooklab.defaults import (
    LINK_CONNECT_SECONDS,
    MAX_LINK_FRAME_BYTES,
    WEBHOOKRELAY_MAX_PAGES,
    WEBHOOKRELAY_MISSED_AGE,
    WEBHOOKRELAY_PAGE,
)
from webhooklab.records import Answer
from webhooklab.relay import webhookrelay_frames as frames
from webhooklab.relay.link import LinkError, why


class Api:
    """The API at `service`, for who has this key and secret. Raises `LinkError` for what fails."""

    def __init__(self, service: str, key: str, secret: str) -> None:
        self._service = service
        self._headers = {
            "Authorization": frames.authorization(key, secret),
            "Accept-Encoding": IDENTITY,
        }

    async def answer(self, webhook: frames.Webhook, given: Answer) -> None:
        """Say what the lab answered to a delivery."""
        place = f"/v1/logs/{quote(webhook.id, safe='')}"
        async with self._client() as client:
            asked = client.build_request("PUT", place, json=frames.answer(webhook, given))
            got = await client.send(asked, stream=True)
            await got.aclose()  # what else it says is not read
        if got.status_code >= HTTPStatus.BAD_REQUEST:
            raise LinkError(f"it answers {got.status_code}")

    async def missed(self, buckets: Sequence[str]) -> AsyncGenerator[frames.Webhook]:
        """What came to these buckets, or to all, while nobody was connected; some may be known.

        Raises `FrameError`, too.
        """
        async with self._client() as client:
            for bucket in buckets or frames.buckets(await _text_of(client, "/v1/buckets", {})):
                async for webhook in _missed_of(client, bucket):
                    yield webhook

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        try:
            async with httpx.AsyncClient(
                base_url=self._service,
                headers=self._headers,
                timeout=LINK_CONNECT_SECONDS,
                follow_redirects=False,
            ) as client:
                yield client
        except httpx.HTTPError as error:
            raise LinkError(why(error)) from error


async def _missed_of(client: httpx.AsyncClient, bucket: str) -> AsyncIterator[frames.Webhook]:
    asked = {"bucket": bucket, "limit": str(WEBHOOKRELAY_PAGE)}
    asked["max_age"] = WEBHOOKRELAY_MISSED_AGE
    seen: set[str] = set()
    for _ in range(WEBHOOKRELAY_MAX_PAGES):
        text = await _text_of(client, "/v1/events", asked)
        found = frames.missed(text)
        for webhook in found:
            yield webhook
        names = {webhook.id for webhook in found}
        if names <= seen or not _goes_on(text, found):
            return
        seen |= names
        if (place := frames.cursor(text)) is not None:
            asked = {"cursor": place, "limit": str(WEBHOOKRELAY_PAGE)}
    raise LinkError(f"{len(seen):,} were fetched, the next connection asks for more")


def _goes_on(text: str, found: Sequence[frames.Webhook]) -> bool:
    """Whether there may be another page."""
    full = len(found) >= WEBHOOKRELAY_PAGE
    return full or frames.has_more(text) or frames.cursor(text) is not None


async def _text_of(client: httpx.AsyncClient, place: str, asked: dict[str, str]) -> str:
    """An answer of the API, not a longer one than is read."""
    async with client.stream("GET", place, params=asked) as response:
        if response.status_code != HTTPStatus.OK:
            raise LinkError(f"it answers {response.status_code}")
        held = bytearray()
        async for chunk in response.aiter_raw():
            held += chunk
            if len(held) > MAX_LINK_FRAME_BYTES:
                raise LinkError("its answer is too long")
    return held.decode("utf-8", "replace")
