"""What is sent to a public URL: open to whoever knows its secret, and to nothing else in here.

A plain Tornado handler. A `JupyterHandler` would refuse the Host of a tunnel, and on a JupyterHub
send the provider's Authorization header to the Hub.
"""

from __future__ import annotations

import asyncio
import http
import logging
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.log import access_log, app_log

from webhooklab import clock
from webhooklab.defaults import (
    BODY_TIMEOUT_SECONDS,
    MAX_BODIES_IN_FLIGHT_BYTES,
    MAX_HEADER_COUNT,
    REFUSED_SILENCE_SECONDS,
    RETRY_AFTER_SECONDS,
)
from webhooklab.envelope import VIA_HEADER, Meta
from webhooklab.given_back import PLAIN, given_back
from webhooklab.handover import Answered, Handover
from webhooklab.headers import BODILESS, MISFRAMED, is_misframed
from webhooklab.server_extension.doors import Door, Doors

ROUTE: Final = "/webhooklab/in/"
SOURCE: Final = "jupyter"

_UNLIMITED: Final = 2**62
"""Tornado would answer 400 to a body over its limit; ours are 413."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not handed on."""

    status: int
    reason: str


_UNKNOWN: Final = Refusal(404, "there is nothing at this address")
_AWAY: Final = Refusal(503, "the lab is not listening at present")
_BUSY: Final = Refusal(503, "too many large bodies at one time")
_MISFRAMED: Final = Refusal(400, MISFRAMED)
_SLOW: Final = Refusal(408, "the body did not come in time")


@web.stream_request_body
class Incoming(web.RequestHandler):
    """One request to a public URL."""

    _in_flight_bytes = 0
    """Of all requests that are being received or handed on."""

    def initialize(self, doors: Doors, handover: Handover) -> None:
        """Tornado's: what the route was registered with."""
        self._method = self.request.method or ""
        if self._method not in self.SUPPORTED_METHODS:
            # Tornado would answer 405 to WebDAV's methods, and to those that nobody has heard of.
            self.request.method = "POST"
        self._doors = doors
        self._handover = handover
        self._body = bytearray()
        self._held_bytes = 0
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None

    def set_default_headers(self) -> None:
        """Tornado's: whatever is answered is not to act in the Jupyter server's name."""
        self.clear_header("Server")
        for name, value in PLAIN:
            self.set_header(name, value)
        self.set_header(VIA_HEADER, SOURCE)

    # Who may pass: whoever knows the secret

    def check_xsrf_cookie(self) -> None:
        """Tornado's: senders have no cookies of ours, and what comes is done nothing with."""

    def check_trusted_origin(self, origin: str) -> bool:
        """Tornado's: the page that sends may be anybody's."""
        return True

    def prepare(self) -> None:
        """Tornado's: the headers are there, the body is not."""
        self._received_at = clock.now_us()
        assert isinstance(self.request.connection, HTTP1Connection)
        self.request.connection.set_max_body_size(_UNLIMITED)
        secret, self._target = _split(self.request.uri or "")
        self._give_up_after(BODY_TIMEOUT_SECONDS)
        refusal = self._unfit(self._doors.find(secret))
        if refusal is not None:
            self._refuse(refusal)

    def _unfit(self, door: Door | None) -> Refusal | None:
        if is_misframed(self.request.version, self.request.headers):
            return _MISFRAMED
        if door is None:
            return _UNKNOWN
        if door.behind is None:
            return _AWAY
        self._behind = door.behind
        self._pairs = _pairs(self)
        if len(self._pairs) > MAX_HEADER_COUNT:
            return Refusal(431, f"more than {MAX_HEADER_COUNT} headers")
        announced = self.request.headers.get("Content-Length", "")
        # What is no number, Tornado is about to refuse.
        return self._too_much(int(announced) if re.fullmatch("[0-9]{1,30}", announced) else 0)

    def _too_much(self, more_bytes: int) -> Refusal | None:
        if self._held_bytes + more_bytes > self._behind.max_body_bytes:
            return Refusal(413, f"a body of more than {self._behind.max_body_bytes} bytes")
        if Incoming._in_flight_bytes + more_bytes > MAX_BODIES_IN_FLIGHT_BYTES:
            return _BUSY
        return None

    def _refuse(self, refusal: Refusal) -> None:
        """Answer now. The rest of the body is read for a while, lest a reset hides the answer."""
        self._refused = True
        self._let_go()
        self._say(refusal)
        self.set_header("Connection", "close")
        self.set_header("Content-Length", str(len(refusal.reason)))
        self.flush()
        self._give_up_after(REFUSED_SILENCE_SECONDS)

    def _say(self, refusal: Refusal) -> None:
        self.set_status(refusal.status)
        if refusal.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", str(RETRY_AFTER_SECONDS))
        self.write(refusal.reason)

    # The body

    def data_received(self, chunk: bytes) -> None:
        """Tornado's: a part of the body."""
        if self._refused:
            return
        refusal = self._too_much(len(chunk))
        if refusal is not None:
            self._refuse(refusal)
            return
        self._hold(len(chunk))
        self._body += chunk

    def _hold(self, more_bytes: int) -> None:
        self._held_bytes += more_bytes
        Incoming._in_flight_bytes += more_bytes

    def _let_go(self) -> None:
        self._hold(-self._held_bytes)
        self._body = bytearray()

    def _give_up_after(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self._refused:
            self.detach().close()
        else:
            self._refuse(_SLOW)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # On to the lab, and back

    async def _take(self) -> None:
        self._stop_timer()
        if self._refused:
            self._log()
            self.detach().close()  # Tornado would read on: `finish` does not end a connection
            return
        meta = Meta(
            source=SOURCE,
            method=self._method,
            target=self._target,
            headers=self._pairs,
            remote=self.request.remote_ip,
            received_at=self._received_at,
        )
        answered = await self._handover.hand(self._behind, meta, bytes(self._body))
        if answered is None:
            self._say(_AWAY)
        else:
            self._give_back(answered)

    # One name after the other, because Jupyter wants each method marked.
    get = head = post = put = patch = delete = options = allow_unauthenticated(_take)

    def _give_back(self, answered: Answered) -> None:
        self.set_status(answered.status)
        allowed = given_back(answered.headers)
        for name, _ in allowed:
            self.clear_header(name)
        for name, value in allowed:
            self.add_header(name, value)
        if answered.status not in BODILESS:
            self.write(answered.body)

    def compute_etag(self) -> None:
        """Tornado's: the answer is the lab's, and never a 304 of ours."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tornado's: plain words instead of a page."""
        self.finish(http.HTTPStatus(status_code).phrase)

    def on_finish(self) -> None:
        """Tornado's: the answer is sent."""
        self._stop_timer()
        self._let_go()

    def on_connection_close(self) -> None:
        """Tornado's: the sender has left."""
        self._stop_timer()
        self._let_go()
        super().on_connection_close()

    # The log: never the secret

    def _log(self) -> None:
        milliseconds = 1_000 * self.request.request_time()
        status = self.get_status()
        level = logging.DEBUG if status < http.HTTPStatus.BAD_REQUEST else logging.WARNING
        access_log.log(level, "%d %s %.1f ms", status, self._request_summary(), milliseconds)

    def _request_summary(self) -> str:
        return f"{self._method} {ROUTE}... ({self.request.remote_ip})"

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tornado's, which would write the URL."""
        if isinstance(value, web.HTTPError):
            app_log.info("%d %s", value.status_code, self._request_summary())
        elif typ is not None and value is not None:
            app_log.error("%s failed", self._request_summary(), exc_info=(typ, value, tb))


def _split(uri: str) -> tuple[str, str]:
    """The secret, and the target below it, undecoded."""
    rest = uri.partition(ROUTE)[2]
    end = next((at for at, each in enumerate(rest) if each in "/?"), len(rest))
    secret, target = rest[:end], rest[end:]
    return secret, target if target.startswith("/") else f"/{target}"


def _pairs(handler: web.RequestHandler) -> tuple[tuple[str, str], ...]:
    """The headers as Tornado gives them, without cookies: those are the Jupyter server's."""
    all_pairs = handler.request.headers.get_all()
    return tuple(pair for pair in all_pairs if pair[0].lower() != "cookie")
