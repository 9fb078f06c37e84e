"""JSON messages between processes of one user: a WebSocket on loopback that wants a key.

Both ends may `call` the other and wait for its answer, or `tell` it something. A web page cannot
connect: it neither knows the key nor can it send it (and a request with an `Origin` is refused).
"""

from __future__ import annotations

import contextlib
import hmac
import itertools
import json
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketHandler,
    websocket_connect,
)

from webhooklab import errors
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import (
    CHANNEL_CONNECT_SECONDS,
    CHANNEL_PING_SECONDS,
    CHANNEL_THREADS,
    HOST,
    MAX_CHANNEL_MESSAGE_BYTES,
)
from webhooklab.errors import ListenerProcessError, WebhookLabError

logger = logging.getLogger(__name__)

Handle = Callable[["Peer", str, dict[str, Any]], Any]
"""Gets a call's name and arguments, on a thread; what it returns (JSON) is the answer."""
Ended = Callable[["Peer"], object]

_HEADER: Final = "Authorization"


class Peer:
    """The other end of a connection. From any thread but that of the loop."""

    def __init__(
        self, background: BackgroundLoop, write: Callable[[str], Any], handle: Handle, ended: Ended
    ) -> None:
        self._background = background
        self._write = write
        self._handle = handle
        self._ended = ended
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self._threads = ThreadPoolExecutor(CHANNEL_THREADS, "webhooklab-channel")

    def call(self, name: str, timeout: float, **arguments: Any) -> Any:
        """Have the other end do something; returns its answer.

        Raises its error if that is one of ours, and `ListenerProcessError` when it does not answer
        within `timeout` seconds, or has ended.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = Future()
        try:
            self._send({"call": name, "number": number, "arguments": arguments})
            return answer.result(timeout)
        except (TimeoutError, ConnectionError) as error:
            raise ListenerProcessError(
                f"The process that listens did not answer ({name}). `webhooklab status` shows "
                "what runs, `webhooklab stop` ends it."
            ) from error
        finally:
            self._waiting.pop(number, None)

    def tell(self, name: str, **arguments: Any) -> None:
        """Say something that wants no answer. Nothing happens when the other end has gone."""
        self._send({"call": name, "arguments": arguments})

    def _send(self, message: dict[str, Any]) -> None:
        self._background.post(self._write, json.dumps(message))

    # On the loop

    def take(self, text: str | bytes) -> None:
        """A message has come."""
        message = json.loads(text)
        if "call" in message:
            self._threads.submit(self._serve, message)
        elif (answer := self._waiting.get(message["number"])) is not None:
            _settle(answer, message)

    def end(self) -> None:
        """The connection has ended."""
        self._threads.shutdown(wait=False)
        for answer in list(self._waiting.values()):
            answer.set_exception(ConnectionResetError("the other process has ended"))
        self._ended(self)

    def _serve(self, message: dict[str, Any]) -> None:
        try:
            reply = {"result": self._handle(self, message["call"], message["arguments"])}
        except WebhookLabError as error:
            reply = {"kind": type(error).__name__, "error": str(error)}
        except Exception as error:
            logger.exception("%s failed", message["call"])
            reply = {"kind": "", "error": type(error).__name__}
        if "number" in message:
            self._send(reply | {"number": message["number"]})


class Connection:
    """A connection to a `Hub`, with a loop of its own, until `close` or until the hub ends.

    Raises `OSError` when nobody who takes the key is at `address`. `ended` is set at its end.
    """

    def __init__(self, address: str, key: str, handle: Handle, ended: Ended) -> None:
        self.ended = threading.Event()
        self._background = BackgroundLoop("webhooklab-channel").start()
        try:
            self._background.run(self._connect(address, key, handle, ended))
        except (HTTPError, HTTPClientError) as error:
            self._background.stop()
            raise ConnectionRefusedError(str(error)) from error
        except BaseException:
            self._background.stop()
            raise

    async def _connect(self, address: str, key: str, handle: Handle, ended: Ended) -> None:
        request = HTTPRequest(
            address, headers={_HEADER: key}, connect_timeout=CHANNEL_CONNECT_SECONDS
        )
        self._socket: WebSocketClientConnection = await websocket_connect(
            request,
            on_message_callback=self._take,
            ping_interval=CHANNEL_PING_SECONDS,
            max_message_size=MAX_CHANNEL_MESSAGE_BYTES,
        )
        self.peer = Peer(self._background, self._socket.write_message, handle, ended)

    def _take(self, text: str | bytes | None) -> None:
        if text is None:
            self.ended.set()
            self.peer.end()
        else:
            self.peer.take(text)

    def close(self) -> None:
        """End the connection. Repeatable; not from the loop's own thread."""
        self._background.post(self._socket.close)
        self._background.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Hub:
    """Takes connections of processes that know `key`, from construction to `close`.

    `address` and `key` are what a `Connection` needs.
    """

    def __init__(self, handle: Handle, ended: Ended) -> None:
        self.key = secrets.token_urlsafe(32)
        self.peers: list[Peer] = []
        self._handle = handle
        self._on_end = ended
        self._background = BackgroundLoop("webhooklab-hub").start()
        sockets = bind_sockets(0, HOST)
        self.address = f"ws://{HOST}:{sockets[0].getsockname()[1]}/"
        self._background.call(self._listen, sockets)

    def _listen(self, sockets: list[socket.socket]) -> None:
        application = Application(
            [("/", _Socket, {"hub": self})],
            websocket_ping_interval=CHANNEL_PING_SECONDS,
            websocket_max_message_size=MAX_CHANNEL_MESSAGE_BYTES,
            log_function=lambda _handler: None,
        )
        self._server = HTTPServer(application)
        self._server.add_sockets(sockets)

    def tell(self, name: str, **arguments: Any) -> None:
        """`Peer.tell` to all."""
        for peer in list(self.peers):
            peer.tell(name, **arguments)

    def close(self) -> None:
        """End all connections, and take no more. Not from the loop's own thread."""
        self._background.run(self._close())
        self._background.stop()

    async def _close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()

    # On the loop

    def admits(self, handler: WebSocketHandler) -> bool:
        """Whether who asks knows the key, and is no web page."""
        given = handler.request.headers.get(_HEADER, "")
        alike = hmac.compare_digest(given.encode(), self.key.encode())
        return alike and "Origin" not in handler.request.headers

    def greet(self, write: Callable[[str], Any]) -> Peer:
        """A new connection."""
        peer = Peer(self._background, write, self._handle, self._forget)
        self.peers.append(peer)
        return peer

    def _forget(self, peer: Peer) -> None:
        self.peers.remove(peer)
        self._on_end(peer)


class _Socket(WebSocketHandler):
    _peer: Peer | None = None

    def initialize(self, hub: Hub) -> None:
        self._hub = hub

    def prepare(self) -> None:
        if not self._hub.admits(self):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def open(self, *_: str, **__: str) -> None:
        self._peer = self._hub.greet(self._write)

    def on_message(self, message: str | bytes) -> None:
        assert self._peer is not None
        self._peer.take(message)

    def on_close(self) -> None:
        if self._peer is not None:
            self._peer.end()

    def _write(self, text: str) -> None:
        with contextlib.suppress(WebSocketClosedError):
            self.write_message(text)


def _settle(answer: Future[Any], message: dict[str, Any]) -> None:
    if "error" in message:
        answer.set_exception(_error(message["kind"], message["error"]))
    else:
        answer.set_result(message["result"])


def _error(kind: str, message: str) -> WebhookLabError:
    """The error of ours that the other end raised."""
    found = getattr(errors, kind, None)
    if isinstance(found, type) and issubclass(found, WebhookLabError):
        return found(message)
    return ListenerProcessError(f"The process that listens failed ({message}).")
