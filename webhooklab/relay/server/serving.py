"""A relay's sockets: listening, TLS, connections and their deadlines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from tornado.netutil import add_accept_handler
from tornado.web import Application

from webhooklab import clock
from webhooklab.defaults import CLOSE_TIMEOUT_SECONDS, SWEEP_INTERVAL_SECONDS
from webhooklab.errors import RelayError
from webhooklab.listener import affordable, bind
from webhooklab.relay.limits import MAX_READER_FRAME_BYTES
from webhooklab.relay.server.connection import Connection, RawTLSStream
from webhooklab.relay.server.file import RelayFile
from webhooklab.relay.server.origins import Caller
from webhooklab.relay.server.pages import Health, New, Nothing, Status
from webhooklab.relay.server.reading import Reading
from webhooklab.relay.server.relay import Relay
from webhooklab.relay.server.settings import Settings
from webhooklab.wire.rawstream import RawStream
from webhooklab.wire.room import make_room

logger = logging.getLogger(__name__)

_LISTEN: Final = r"/listen/([0-9A-Za-z_-]{16,64})"
_STEP_SECONDS: Final = 0.01


class RelayServer:
    """A relay that listens from `start` to `stop`, both on the running loop.

    Binds when it is made. Raises `RelayError` and `PortTakenError`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = _tls(settings)
        self._sockets = bind(settings.host, settings.port)
        self.port: int = self._sockets[0].getsockname()[1]
        try:
            self._file = RelayFile(settings.db, settings)
        except BaseException:
            self._close_sockets()
            raise
        self._relay = Relay(self._file, settings)
        self._pages = _pages(self._relay)
        self._connections: set[Connection] = set()
        self._most = affordable(settings.connections)
        self._removers: list[Callable[[], None]] = []

    @property
    def url(self) -> str:
        """Where it listens; ends in "/"."""
        host = self._settings.host
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def _scheme(self) -> str:
        return "http" if self._tls is None else "https"

    def start(self) -> None:
        """Accept connections from now on."""
        self._relay.start()
        self._removers = [add_accept_handler(each, self._accept) for each in self._sockets]
        self._sweep()

    def reload(self) -> None:
        """Read the certificate anew, for connections that come from now on."""
        if self._tls is not None:
            try:
                _load(self._tls, self._settings)
            except RelayError as error:
                logger.error("the earlier certificate stays: %s", error)  # noqa: TRY400 - it says why

    async def stop(self) -> None:
        """Free the port, answer what is being committed, and close every connection."""
        self._timer.cancel()
        for remove in self._removers:
            remove()
        self._close_sockets()
        self._relay.stop()
        for connection in self._connections:
            connection.end()
        await self._all_closed()
        for connection in self._connections:
            connection.close()
        await asyncio.to_thread(self._file.close)

    def _close_sockets(self) -> None:
        for each in self._sockets:
            each.close()

    async def _all_closed(self) -> None:
        until = clock.monotonic() + CLOSE_TIMEOUT_SECONDS
        # A stream has one callback for its end, and it is Tornado's.
        while clock.monotonic() < until and not all(  # noqa: ASYNC110
            each.closed for each in self._connections
        ):
            await asyncio.sleep(_STEP_SECONDS)

    def _accept(self, accepted: socket.socket, address: tuple[Any, ...]) -> None:
        if not self._has_room():
            accepted.close()
            logger.warning("more than %d connections: one was turned away", self._most)
            return
        caller = Caller(address[0], self._scheme, self._settings)
        connection = Connection(self._stream(accepted), caller, self._relay, self._pages)
        self._connections.add(connection)
        connection.serve()

    def _has_room(self) -> bool:
        """Whether there is, or can be made, room for one more; who has left takes none."""
        if len(self._connections) >= self._most:
            self._connections -= {each for each in self._connections if each.closed}
        return len(self._connections) < self._most or make_room(self._connections)

    def _stream(self, accepted: socket.socket) -> RawStream:
        accepted.setblocking(False)
        with contextlib.suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return RawStream(accepted)
        wrapped = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        return RawTLSStream(wrapped)

    def _sweep(self) -> None:
        now = clock.monotonic()
        for connection in list(self._connections):
            connection.check(now)
            if connection.closed:
                self._connections.discard(connection)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_INTERVAL_SECONDS, self._sweep)


def _pages(relay: Relay) -> Application:
    given = {"relay": relay}
    routes: list[Any] = [("/", Health, given), ("/status", Status, given), ("/new", New, given)]
    return Application(
        [*routes, (_LISTEN, Reading, given)],
        default_handler_class=Nothing,
        default_handler_args=given,
        log_function=_log,
        websocket_max_message_size=MAX_READER_FRAME_BYTES,
        websocket_ping_interval=0,
    )


def _log(handler: Any) -> None:
    """Without the target: it may be a mistyped one, with a secret in it."""
    logger.debug("%d %s", handler.get_status(), type(handler).__name__)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _load(context, settings)
    return context


def _load(context: ssl.SSLContext, settings: Settings) -> None:
    assert settings.certfile is not None
    try:
        context.load_cert_chain(settings.certfile, settings.keyfile)
    except (OSError, ssl.SSLError) as error:
        raise RelayError(
            f"The certificate {settings.certfile} cannot be used: {error}. Name a PEM file with "
            "the whole chain (--certfile) and its key (--keyfile), without a password."
        ) from error
