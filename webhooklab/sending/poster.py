"""One try to send a request on. The door to httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from webhooklab import clock
from webhooklab.calling import MAX_DETAIL_CHARACTERS, certificates
from webhooklab.defaults import MAX_REPLY_BYTES, SEND_IDLE_SECONDS
from webhooklab.errors import SendArgumentError
from webhooklab.headers import Pair
from webhooklab.pulling.rates import allowance
from webhooklab.sending.outcomes import Outcome
from webhooklab.sending.outgoing import Outgoing
from webhooklab.sending.targets import Target


class _Failed(Exception):
    """There is no whole answer."""

    def __init__(self, text: str, **facts: bool) -> None:
        super().__init__(text)
        self.facts = facts


@dataclass(slots=True)
class _Heard:
    """What has come of an answer so far."""

    status: int | None = None
    headers: tuple[Pair, ...] = ()
    body: bytearray = field(default_factory=bytearray)
    wait_seconds: float = 0.0


class Poster:
    """Sends requests to one target. Redirects are not followed; nothing is tried again.

    `auth` is what httpx takes. `timeout`: seconds that one try may take in all. Raises `TypeError`
    for an `auth` that httpx refuses, `SendArgumentError` for a timeout that is none.
    """

    def __init__(
        self, target: Target, *, auth: Any, timeout: float, connections: int | None
    ) -> None:
        if not 0 < timeout < float("inf"):
            raise SendArgumentError(f"timeout={timeout!r}: pass a number of seconds above 0.")
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            auth=auth,
            verify=certificates(),
            # A little less for connecting, so that one can tell who is not there from who is slow.
            timeout=httpx.Timeout(timeout, connect=timeout * 0.9),
            follow_redirects=False,
            trust_env=not target.loopback,
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=SEND_IDLE_SECONDS),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, request: Outgoing) -> Outcome:
        """Send it once. Never raises for what the target does."""
        started_at, began = clock.now_us(), clock.monotonic()
        heard, error, facts = _Heard(), None, {}
        try:
            async with _translated(self._timeout):
                await self._exchange(_request(request), heard)
        except _Failed as failure:
            error, facts = str(failure), failure.facts
        return Outcome(
            started_at=started_at,
            elapsed_ms=round((clock.monotonic() - began) * 1000),
            status=heard.status,
            headers=heard.headers,
            body=bytes(heard.body),
            error=error,
            wait_seconds=heard.wait_seconds,
            **facts,
        )

    async def _exchange(self, request: httpx.Request, heard: _Heard) -> None:
        response = await self._client.send(request, stream=True)
        try:
            heard.status = response.status_code
            heard.headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in response.headers.raw
            )
            heard.wait_seconds = allowance(response.headers, clock.now_us()).wait_seconds
            await _read(response, heard)
        finally:
            await response.aclose()


async def _read(response: httpx.Response, heard: _Heard) -> None:
    async for part in response.aiter_raw():
        heard.body += part
        if len(heard.body) > MAX_REPLY_BYTES:
            del heard.body[MAX_REPLY_BYTES:]
            return


def _request(request: Outgoing) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url,
        headers=[
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers
        ],
        content=request.body or None,
        extensions={"target": request.raw_target},
    )


@asynccontextmanager
async def _translated(seconds: float) -> AsyncIterator[None]:
    """Bound the time of one try, and turn what goes wrong into words without secrets."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        detail = str(error)[:MAX_DETAIL_CHARACTERS] or type(error).__name__
        raise _Failed(f"could not connect: {detail}", again=True, unreachable=True) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise _Failed(f"no answer within {seconds:g} s", again=True, timed_out=True) from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, UnicodeEncodeError) as error:
        # Their messages quote the header that is wrong, which may be a credential.
        raise _Failed("what came is not valid HTTP, and cannot be sent on") from error
    except httpx.TransportError as error:
        raise _Failed(f"the connection broke off ({type(error).__name__})", again=True) from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        raise _Failed(
            f"it cannot be sent ({type(error).__name__}): check auth=, headers="
        ) from error
