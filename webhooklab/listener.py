"""The HTTP server of a lab: sockets, connections and their deadlines, on its background loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket

from tornado.netutil import add_accept_handler, bind_sockets

from webhooklab import clock
from webhooklab.background import BackgroundLoop, QuickSwitching
from webhooklab.defaults import (
    CLOSE_TIMEOUT_SECONDS,
    MAX_CONNECTIONS,
    PORT_RELEASE_SECONDS,
    SWEEP_INTERVAL_SECONDS,
)
from webhooklab.errors import PortTakenError
from webhooklab.ingress import Ingress
from webhooklab.wire import Connection, HeaderKeepingStream

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class Listener:
    """Listens on bound sockets from `start` to `stop`. Captures through its ingress.

    `base_path` ("" or "/<segment>") is what every request must begin with; all else gets 404.
    """

    def __init__(
        self,
        ingress: Ingress,
        background: BackgroundLoop,
        sockets: list[socket.socket],
        *,
        base_path: str = "",
    ) -> None:
        self._ingress = ingress
        self._background = background
        self._sockets = sockets
        self._base_path = base_path
        self._connections: set[Connection] = set()
        self._stop_accepting: list[object] = []

    def start(self) -> None:
        """Accept connections from now on."""
        QuickSwitching.acquire()
        self._background.call(self._start)

    def stop(self) -> None:
        """Free the port, answer what is being committed, and close every connection."""
        self._background.run(self._stop())
        QuickSwitching.release()

    def _start(self) -> None:
        self._removers = [add_accept_handler(each, self._accept) for each in self._sockets]
        self._sweep()

    async def _stop(self) -> None:
        self._timer.cancel()
        for remove in self._removers:
            remove()
        for each in self._sockets:
            each.close()
        deadline = clock.monotonic() + CLOSE_TIMEOUT_SECONDS
        while self._committing() and clock.monotonic() < deadline:
            await asyncio.sleep(0.005)
        for connection in list(self._connections):
            connection.close()

    def _committing(self) -> bool:
        return any(connection.doing == "committing" for connection in self._connections)

    def _accept(self, accepted: socket.socket, address: tuple[str, int]) -> None:
        if len(self._connections) >= MAX_CONNECTIONS:
            self._turn_away(accepted, address[0])
            return
        stream = HeaderKeepingStream(accepted)
        connection = Connection(
            stream, address[0], self._ingress, self._base_path, self._connections.discard
        )
        self._connections.add(connection)
        connection.serve()

    def _turn_away(self, accepted: socket.socket, remote: str) -> None:
        with accepted, contextlib.suppress(OSError):
            accepted.send(_BUSY)
        self._ingress.note_refusal(remote, 503, f"more than {MAX_CONNECTIONS} connections")

    def _sweep(self) -> None:
        now = clock.monotonic()
        for connection in list(self._connections):
            connection.check(now)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_INTERVAL_SECONDS, self._sweep)


def bind(host: str, port: int, *, patience: float = 0.0) -> list[socket.socket]:
    """Bound, listening sockets for `host`; port 0 takes a free one.

    Tries for `patience` seconds, and then raises `PortTakenError`.
    """
    deadline = clock.monotonic() + patience
    while True:
        try:
            return bind_sockets(port, host)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise PortTakenError(
                    f"Cannot listen on {host}, port {port}: {error.strerror}. "
                    "Choose an address of this machine, and a port of 1024 or above."
                ) from error
            if clock.monotonic() >= deadline:
                raise PortTakenError(
                    f"Port {port} on {host} is taken by another program: end that program, "
                    "or choose another port (port=0 takes a free one)."
                ) from error
            clock.pause(0.05)


def bind_again(host: str, port: int) -> list[socket.socket]:
    """`bind` to a port that an earlier run may still be leaving."""
    return bind(host, port, patience=PORT_RELEASE_SECONDS)
