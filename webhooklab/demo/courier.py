"""One webhook on its way: sign, POST, retry. The demo's only door to httpx.

Retries, 410 and Retry-After as https://www.standardwebhooks.com says.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from webhooklab.clock import from_datetime, now_us
from webhooklab.demo.defaults import (
    ATTEMPT_TIMEOUT_SECONDS,
    MAX_ANSWER_BYTES,
    MAX_ATTEMPTS_IN_FLIGHT,
    MAX_RETRY_AFTER_SECONDS,
    RETRY_DELAYS_SECONDS,
)
from webhooklab.demo.errors import ShopArgumentError
from webhooklab.demo.faults import Dials
from webhooklab.demo.keys import Signing
from webhooklab.demo.life import Change, timestamp
from webhooklab.demo.truth import Outcome, Record

LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""Never through a proxy that the environment names."""
HEADERS = (("content-type", "application/json"), ("user-agent", "webhooklab-shop"))


@dataclass(frozen=True)
class Reply:
    """What the receiver said. `status` None: no answer; `retry_after_seconds` 0: none asked."""

    status: int | None
    retry_after_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """A 2xx. A redirect is a failure: a webhook's address does not move."""
        return self.status is not None and 200 <= self.status < 300


class Courier:
    """Sends signed webhooks to one subscriber. Lives on one event loop."""

    def __init__(self, signing: Signing, *, thin: bool, dials: Dials) -> None:
        self._signing = signing
        self._thin = thin
        self._dials = dials
        self._slots = asyncio.Semaphore(MAX_ATTEMPTS_IN_FLIGHT)
        self._client = httpx.AsyncClient(
            timeout=ATTEMPT_TIMEOUT_SECONDS, mounts=dict.fromkeys(LOOPBACK)
        )
        self.url: str | None = None
        self.disabled = False

    @property
    def refusal(self) -> Outcome | None:
        """Why nothing can be sent now; None: it can."""
        if self.url is None:
            return "no subscriber"
        return "disabled" if self.disabled else None

    def send_to(self, url: str | None) -> None:
        """Set the subscriber; one that was disabled is enabled again."""
        self.url, self.disabled = url, False

    async def deliver(self, record: Record, attempted: asyncio.Event) -> None:
        """Attempt until a 2xx, the last retry, or a 410. Sets `attempted` after the first."""
        for wait in (*RETRY_DELAYS_SECONDS, None):
            refusal = self.refusal
            if refusal is not None:
                return record.gave_up(refusal)
            reply = await self._attempt(record)
            attempted.set()
            if reply.ok:
                return record.delivered(now_us())
            if wait is not None and not self.disabled:
                await asyncio.sleep(max(self._dials.scaled(wait), reply.retry_after_seconds))
        return record.gave_up(self.refusal or "failed")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _attempt(self, record: Record) -> Reply:
        async with self._slots:
            url = self.url
            if url is None or self.disabled:
                return Reply(None)  # it changed while this one waited for its slot
            record.attempts += 1
            reply = await self._post(url, record.change)
            if reply.status == 410 and url == self.url:
                self.disabled = True
            return reply

    async def _post(self, url: str, change: Change) -> Reply:
        body = message(change, thin=self._thin)
        signed = self._signing.sign(body, url=url, event_id=change.event_id, now_us=now_us())
        headers = [*HEADERS, *signed.headers]
        try:
            async with (
                asyncio.timeout(ATTEMPT_TIMEOUT_SECONDS),
                self._client.stream(
                    "POST", signed.url or url, content=signed.body, headers=headers
                ) as response,
            ):
                await _skim(response)
                return Reply(response.status_code, _retry_after(response))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            return Reply(None)


def message(change: Change, *, thin: bool) -> bytes:
    """Return the JSON body; a thin one has only the entity's `id` and `object` as data."""
    data = {name: change.state[name] for name in ("id", "object")} if thin else change.state
    stamp = timestamp(change.occurred_us)
    return json.dumps({"type": change.event_type, "timestamp": stamp, "data": data}).encode()


def checked_url(url: str) -> str:
    """Return `url` if webhooks can be sent there; the error does not repeat it."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ShopArgumentError("webhook URL: pass an absolute http:// or https:// URL, or None.")
    return url


async def _skim(response: httpx.Response) -> None:
    """Read a short answer to its end, so that the connection is kept; leave a long one."""
    seen = 0
    async for chunk in response.aiter_raw():
        seen += len(chunk)
        if seen > MAX_ANSWER_BYTES:
            return


def _retry_after(response: httpx.Response) -> float:
    """Seconds to wait: a number or a date (RFC 9110, 10.2.3); 0 when absent or unreadable."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        wait = (from_datetime(parsedate_to_datetime(text)) - now_us()) / 1e6
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)
