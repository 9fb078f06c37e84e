"""GETs from one origin: limits, retries, redirects, rate limits. The door to httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from webhooklab import __version__, clock
from webhooklab.calling import MAX_DETAIL_CHARACTERS, TRY_AGAIN, certificates, is_here
from webhooklab.codings import ACCEPTED, Coding, CodingError
from webhooklab.defaults import MAX_PULL_REDIRECTS, MAX_RATE_WAIT_SECONDS
from webhooklab.pulling.answers import Answer, Failure, Tally
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.origins import joined, masked, origin, parsed
from webhooklab.pulling.rates import allowance, http_date

_HEADERS: Final = {
    "User-Agent": f"webhooklab/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": ACCEPTED,
}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_BROKEN: Final = "the connection broke off"


class Getter:
    """A client for GETs from one origin. Every request goes there, or nowhere.

    `auth` is what httpx takes; a URL's own userinfo counts as such. `headers` go with every
    request. Waits as long as the server's rate limit asks, for all GETs together. `connections`:
    how many at one time. Raises `PullArgumentError`; `TypeError` for an `auth` httpx refuses.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        connections: int = 1,
    ) -> None:
        given = parsed(url)
        self.url = given.copy_with(userinfo=b"").copy_merge_params(params or {})
        self.shown_url = masked(self.url)
        self.on_retry: Callable[[float, str], object] = lambda _wait, _why: None
        """Told of each wait before another try: its seconds, and why."""
        self._limits = limits
        self._open_at = 0.0  # monotonic: when the rate limit allows the next request
        if given.userinfo and auth is None:
            auth = (given.username, given.password)
        self._client = httpx.AsyncClient(
            auth=auth,
            headers=_with_defaults(headers or {}),
            verify=certificates(),
            timeout=limits.silence_seconds,
            trust_env=not is_here(str(given)),
            limits=httpx.Limits(max_connections=connections),
        )

    @property
    def closed_seconds(self) -> float:
        """How long the rate limit asks to wait from now on; 0.0: not at all."""
        return max(0.0, self._open_at - clock.monotonic())

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(
        self, url: httpx.URL, tally: Tally, validators: Mapping[str, str] | None = None
    ) -> Answer:
        """GET it, trying again where that may help. Any status that is no reason to try again.

        `validators` are the headers of a conditional request. Raises `Failure`.
        """
        limits = self._limits
        retrying = AsyncRetrying(
            stop=stop_after_attempt(limits.attempts),
            retry=retry_if_exception(_may_help),
            wait=wait_exponential(limits.backoff_seconds, limits.max_backoff_seconds)
            + wait_random(0, limits.backoff_seconds),
            before_sleep=self._tell,
            sleep=asyncio.sleep,
            reraise=True,
        )
        answer: Answer = await retrying(self._follow, url, tally, validators or {})
        return answer

    def _tell(self, state: RetryCallState) -> None:
        backoff = state.next_action.sleep if state.next_action else 0.0
        why = state.outcome.exception() if state.outcome else None
        self.on_retry(max(backoff, self.closed_seconds), str(why))

    async def _follow(self, url: httpx.URL, tally: Tally, validators: Mapping[str, str]) -> Answer:
        for _ in range(MAX_PULL_REDIRECTS + 1):
            answer = await self._ask(url, tally, validators)
            if answer.status not in _REDIRECTS:
                return answer
            url = self._redirected(answer)
        raise Failure(f"more than {MAX_PULL_REDIRECTS} redirects in a row", status=answer.status)

    def _redirected(self, answer: Answer) -> httpx.URL:
        target = joined(httpx.URL(answer.url), answer.headers.get("location", ""))
        if target is None or "location" not in answer.headers:
            raise Failure(f"{answer.status} redirects to no URL", status=answer.status)
        self.check_origin(target, f"{answer.status} redirects")
        return target

    def check_origin(self, url: httpx.URL, what: str) -> None:
        """Raise `Failure` for a URL of another origin: what is ours to send is not for it."""
        if origin(url) != origin(self.url):
            raise Failure(
                f"{what} to another origin, {masked(url)[:MAX_DETAIL_CHARACTERS]}: credentials do "
                "not go there. If it is right, pass that URL."
            )

    async def _ask(self, url: httpx.URL, tally: Tally, validators: Mapping[str, str]) -> Answer:
        await self._wait_for_leave(tally)
        tally.requests += 1
        requested_at = clock.now_us()
        if tally.requested_at is None or tally.status is None:
            tally.requested_at = requested_at
        async with _translated(self._limits):
            async with self._client.stream("GET", url, headers=dict(validators)) as response:
                body = await self._read(response, tally)
        answer = Answer(
            url=str(url),
            status=response.status_code,
            headers=response.headers,
            body=body,
            next_link=_next_link(response),
            requested_at=requested_at,
            completed_at=clock.now_us(),
        )
        self._judge(answer, tally)
        return answer

    async def _wait_for_leave(self, tally: Tally) -> None:
        wait = self.closed_seconds
        if wait > self._limits.max_wait_seconds:
            raise Failure(
                f"the rate limit asks to wait {wait:,.0f} s more; nothing is asked for until then",
                status=tally.status,
            )
        await asyncio.sleep(wait)

    async def _read(self, response: httpx.Response, tally: Tally) -> bytes:
        coding, body = _coding(response), bytearray()
        try:
            async for part in response.aiter_raw():
                for piece in coding.pieces(part):
                    body += piece
                    self._check_size(len(body), response.status_code)
        finally:
            tally.received_bytes += response.num_bytes_downloaded
        return bytes(body)

    def _check_size(self, size: int, status: int) -> None:
        limit = self._limits.max_answer_bytes
        if size > limit:
            raise Failure(
                f"the answer has more than {limit:,} bytes (MAX_ANSWER_BYTES): "
                "ask for smaller pages with params=",
                status=status,
            )

    def _judge(self, answer: Answer, tally: Tally) -> None:
        """Note what the answer says of limits and clocks; raise where trying again may help."""
        said = allowance(answer.headers, answer.completed_at)
        tally.status, tally.completed_at = answer.status, answer.completed_at
        tally.server_date = http_date(answer.headers.get("date")) or tally.server_date
        if said.remaining is not None:
            tally.rate_remaining = said.remaining
        if said.wait_seconds > 0:
            wait = min(said.wait_seconds, MAX_RATE_WAIT_SECONDS)
            self._open_at = max(self._open_at, clock.monotonic() + wait)
        # GitHub refuses with 403 where others say 429.
        limited = answer.status == 403 and said.wait_seconds > 0
        if answer.status in TRY_AGAIN or limited:
            raise Failure(status_text(answer.status), status=answer.status, again=True)


def _with_defaults(headers: Mapping[str, str]) -> httpx.Headers:
    together = httpx.Headers(_HEADERS)
    together.update(headers)
    return together


def status_text(status: int) -> str:
    """A status with its name, and for a refusal what to do."""
    try:
        text = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        text = str(status)
    return f"{text}: check auth= and headers=" if status in (401, 403, 407) else text


def _may_help(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.again


def _coding(response: httpx.Response) -> Coding:
    try:
        return Coding(response.headers.get("content-encoding"))
    except CodingError as error:
        raise Failure(f"it cannot be read: {error}", status=response.status_code) from error


def _next_link(response: httpx.Response) -> str | None:
    for link in response.links.values():
        if "next" in link.get("rel", "").lower().split():
            return link.get("url")
    return None


@asynccontextmanager
async def _translated(limits: Limits) -> AsyncIterator[None]:
    """Bound the time of one answer, and turn httpx' errors into failures without secrets."""
    try:
        async with asyncio.timeout(limits.answer_seconds):
            yield
    except httpx.TimeoutException as error:
        raise Failure(f"no answer within {limits.silence_seconds:g} s", again=True) from error
    except TimeoutError as error:
        raise Failure(f"not complete within {limits.answer_seconds:g} s", again=True) from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
        # Their messages quote the header that is wrong, which may be a credential.
        raise Failure("the request is not valid HTTP: check headers= and auth=") from error
    except httpx.ConnectError as error:
        raise Failure(f"could not connect: {_detail(error)}", again=True) from error
    except httpx.RemoteProtocolError as error:
        raise Failure(f"{_BROKEN}, or is no HTTP: {_detail(error)}", again=True) from error
    except CodingError as error:
        raise Failure(f"it cannot be read: {error}", again=True) from error
    except httpx.TransportError as error:
        raise Failure(f"{_BROKEN} ({type(error).__name__})", again=True) from error


def _detail(error: Exception) -> str:
    return str(error)[:MAX_DETAIL_CHARACTERS] or type(error).__name__
