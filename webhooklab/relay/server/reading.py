"""A reader's link, as a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from webhooklab import clock
from webhooklab.errors import RelayProtocolError, StoreError
from webhooklab.relay.decoding import decode_from_reader
from webhooklab.relay.limits import (
    FAREWELL_SECONDS,
    HELLO_SECONDS,
    PING_SECONDS,
    PROTOCOL,
    SILENCE_SECONDS,
)
from webhooklab.relay.protocol import Closing, Hello
from webhooklab.relay.server.pages import Ending
from webhooklab.relay.server.relay import NOTHING_HERE, Relay
from webhooklab.relay.server.session import Session

_REASONS: Final = {
    Closing.GOING_AWAY: "the relay is being ended: come back soon",
    Closing.TAKEN_OVER: "another reader has taken the channel over",
    Closing.PROTOCOL: "the reader does not speak this relay's protocol",
    Closing.GIVEN_UP: "the channel was given up, or has expired",
}


class Reading(WebSocketHandler, Ending):
    """One link, from its handshake to its end."""

    def initialize(self, relay: Relay) -> None:
        """Tornado's: what the route was registered with."""
        super().initialize(relay)
        self._session: Session | None = None
        self._stream: IOStream | None = None
        self._greeted = False
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def get(self, *args: str, **kwargs: str) -> None:
        """Tornado's: the handshake. A wrong key and an unknown channel look the same."""
        try:
            found = self._relay.reader(args[0], self.request.headers.get("Authorization"))
        except StoreError:
            raise web.HTTPError(503) from None
        if found is None:
            self._say(NOTHING_HERE)
            return
        assert isinstance(self.request.connection, HTTP1Connection)
        self._stream = self.request.connection.stream
        self._session = self._relay.attach(*found, self)
        await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        """Tornado's: it is a WebSocket now."""
        self._after(HELLO_SECONDS, self.abort)

    def _after(self, seconds: float, function: Callable[[], object]) -> None:
        """Call that then, and not what was to be called before."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, function)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        """Ping, and cut what is silent: there is nobody to say farewell to."""
        if clock.monotonic() - self._heard_at > SILENCE_SECONDS:
            self.abort()
            return
        self._after(PING_SECONDS, self._tick)
        try:
            self.ping(b"")
        except WebSocketClosedError:
            self.abort()

    # What comes

    def on_pong(self, data: bytes) -> None:
        """Tornado's: the reader is there."""
        self._heard_at = clock.monotonic()

    on_ping = on_pong

    def on_message(self, message: str | bytes) -> None:
        """Tornado's: a frame."""
        self._heard_at = clock.monotonic()
        assert self._session is not None
        if self._session.ended:
            return
        try:
            self._receive(message, self._session)
        except RelayProtocolError:
            self._session.close(Closing.PROTOCOL)

    def _receive(self, message: str | bytes, session: Session) -> None:
        frame = decode_from_reader(message)
        if self._greeted:
            session.receive(frame)
        elif isinstance(frame, Hello) and frame.protocol == PROTOCOL:
            self._greeted = True
            self._after(PING_SECONDS, self._tick)
            self._relay.hello(session, frame)
        else:
            raise RelayProtocolError("The other end did not say hello as it should.")

    def on_close(self) -> None:
        """Tornado's: the link has ended."""
        self._stop_timer()
        if self._session is not None:
            self._relay.detach(self._session)

    # As its session sees it

    async def send(self, text: str) -> None:
        """Send a frame."""
        try:
            await self.write_message(text)
        except (WebSocketClosedError, StreamClosedError) as error:
            raise ConnectionResetError from error

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the link; `code` may be one of ours, which has its own reason."""
        if isinstance(code, Closing):
            reason = _REASONS[code]
        super().close(code, reason)
        asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self.abort)

    def abort(self) -> None:
        """Cut the link now."""
        if self._stream is not None:
            self._stream.close()
