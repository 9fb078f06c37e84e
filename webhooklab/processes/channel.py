"""Connections between processes of one user: a WebSocket on loopback that wants a key.

A web page cannot connect: it neither knows the key nor can it send it (and a request with an
`Origin` is refused). There are no pings: on loopback a connection ends when a process does, and one
that stands still, because a long C call holds the interpreter's lock, is not to lose it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import socket
import threading
from http import HTTPStatus
from typing import Any, Final, Self

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

from webhooklab.background import BackgroundLoop
from webhooklab.defaults import (
    CHANNEL_CLOSE_SECONDS,
    CHANNEL_CONNECT_SECONDS,
    HOST,
    MAX_CHANNEL_MESSAGE_BYTES,
)
from webhooklab.measures import Stalls
from webhooklab.processes.peers import Ended, Handle, Peer

_HEADER: Final = "Authorization"


class Connection:
    """A connection to a `Hub`, with a loop of its own, until `close` or until the hub ends.

    `ended` is set at its end; `on_end` is called when it was not this one that ended it. Raises
    `ConnectionRefusedError` when nobody who takes the key is at `address`, `TimeoutError` when who
    is there says nothing.
    """

    def __init__(self, address: str, key: str, handle: Handle, on_end: Ended) -> None:
        self.ended = threading.Event()
        self._on_end = on_end
        self._closing = False
        self._background = BackgroundLoop("webhooklab-channel").start()
        try:
            self._background.run(self._connect(address, key, handle))
        except (HTTPError, HTTPClientError, StreamClosedError, ConnectionError) as error:
            self._background.stop()
            silent = "imeout" in str(error)
            raise (TimeoutError if silent else ConnectionRefusedError)(str(error)) from error
        except BaseException:
            self._background.stop()
            raise

    async def _connect(self, address: str, key: str, handle: Handle) -> None:
        request = HTTPRequest(
            address, headers={_HEADER: key}, connect_timeout=CHANNEL_CONNECT_SECONDS
        )
        self._socket: WebSocketClientConnection = await websocket_connect(
            request,
            on_message_callback=self._take,
            max_message_size=MAX_CHANNEL_MESSAGE_BYTES,
        )
        self.peer = Peer(self._background, self._write, handle)

    def _write(self, text: str) -> None:
        _send(self._socket, text)

    def _take(self, text: str | bytes | None) -> None:
        if text is not None:
            self.peer.take(text)
            return
        self.peer.end()
        self.ended.set()
        if not self._closing:
            self._on_end(self.peer)

    def watch(self, stalls: Stalls) -> None:
        """Have noted when this process stands still."""
        stalls.watch(self._background)

    def close(self) -> None:
        """End the connection. Repeatable; not from the loop's own thread."""
        self._closing = True
        self._background.post(self._socket.close)
        if self._background.running:
            self.ended.wait(CHANNEL_CLOSE_SECONDS)
        self._background.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Hub:
    """Takes connections of processes that know `key`, from construction to `close`.

    `address` and `key` are what a `Connection` needs. `on_end` is told of peers that have gone.
    """

    def __init__(self, handle: Handle, on_end: Ended) -> None:
        self.key = secrets.token_urlsafe(32)
        self._handle = handle
        self._on_end = on_end
        self._sockets: dict[Peer, _Socket] = {}
        self._all_gone = asyncio.Event()
        self._background = BackgroundLoop("webhooklab-hub").start()
        sockets = bind_sockets(0, HOST)
        self.address = f"ws://{HOST}:{sockets[0].getsockname()[1]}/"
        self._background.call(self._listen, sockets)

    def _listen(self, sockets: list[socket.socket]) -> None:
        application = Application(
            [("/", _Socket, {"hub": self})],
            websocket_max_message_size=MAX_CHANNEL_MESSAGE_BYTES,
            log_function=lambda _handler: None,
        )
        self._server = HTTPServer(application, idle_connection_timeout=CHANNEL_CONNECT_SECONDS)
        self._server.add_sockets(sockets)

    @property
    def peers(self) -> list[Peer]:
        """Who is connected."""
        return list(self._sockets)

    def signal(self, name: str) -> None:
        """`Peer.signal` to all."""
        for peer in self.peers:
            peer.signal(name)

    def close(self) -> None:
        """End all connections, and take no more. Repeatable; not from the loop's own thread."""
        if self._background.running:
            self._background.run(self._close())
            self._background.stop()

    async def _close(self) -> None:
        self._server.stop()
        for each in list(self._sockets.values()):
            each.close()
        with contextlib.suppress(TimeoutError):  # who stands still is not waited for
            await asyncio.wait_for(self._gone(), CHANNEL_CLOSE_SECONDS)
        await self._server.close_all_connections()

    async def _gone(self) -> None:
        while self._sockets:
            self._all_gone.clear()
            await self._all_gone.wait()

    # On the loop

    def admits(self, handler: WebSocketHandler) -> bool:
        """Whether who asks knows the key, and is no web page."""
        given = handler.request.headers.get(_HEADER, "")
        alike = hmac.compare_digest(given.encode(), self.key.encode())
        return alike and "Origin" not in handler.request.headers

    def greet(self, handler: _Socket) -> Peer:
        """A new connection."""
        peer = Peer(self._background, handler.send, self._handle)
        self._sockets[peer] = handler
        return peer

    def forget(self, peer: Peer) -> None:
        """A connection has ended."""
        peer.end()
        del self._sockets[peer]
        if not self._sockets:
            self._all_gone.set()
        self._on_end(peer)


class _Socket(WebSocketHandler):
    _peer: Peer | None = None

    def initialize(self, hub: Hub) -> None:
        self._hub = hub

    def prepare(self) -> None:
        if not self._hub.admits(self):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def open(self, *_: str, **__: str) -> None:
        self._peer = self._hub.greet(self)

    def on_message(self, message: str | bytes) -> None:
        assert self._peer is not None
        self._peer.take(message)

    def on_close(self) -> None:
        if self._peer is not None:
            self._hub.forget(self._peer)

    def send(self, text: str) -> None:
        _send(self, text)


def _send(socket: WebSocketClientConnection | WebSocketHandler, text: str) -> None:
    with contextlib.suppress(WebSocketClosedError):
        asyncio.ensure_future(socket.write_message(text)).add_done_callback(_forget)


def _forget(written: asyncio.Future[Any]) -> None:
    """Whether it was written or not: who has gone is told of by the end of the connection."""
    if not written.cancelled():
        written.exception()
