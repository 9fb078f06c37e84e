"""The HTTP server of a lab: sockets, connections and their deadlines, on its background loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from tornado.netutil import add_accept_handler

from webhooklab import clock
from webhooklab.background import BackgroundLoop, QuickSwitching
from webhooklab.defaults import (
    CLOSE_TIMEOUT_SECONDS,
    MAX_CONNECTIONS,
    RETRY_AFTER_SECONDS,
    SWEEP_INTERVAL_SECONDS,
)
from webhooklab.errors import PortTakenError
from webhooklab.ingress import Ingress
from webhooklab.wire import Connection, make_room

_BUSY = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    f"Retry-After: {RETRY_AFTER_SECONDS}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
).encode()

_BACKLOG = 128
"""Connections that the system accepts before we do."""


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
        self._most_connections = affordable(MAX_CONNECTIONS)
        self._removers: list[Callable[[], None]] = []
        self._one_ended = asyncio.Event()

    def start(self) -> None:
        """Accept connections from now on."""
        self._background.call(self._start)
        QuickSwitching.acquire()

    def stop(self) -> None:
        """Free the port, answer what is being committed, and close every connection."""
        QuickSwitching.release()
        self._background.run(self._stop())

    @property
    def receiving_since(self) -> int | None:
        """When the oldest request came whose body is still coming, in us; on the loop only."""
        moments = (connection.receiving_since for connection in self._connections)
        return min((at for at in moments if at is not None), default=None)

    def _start(self) -> None:
        self._removers = [add_accept_handler(each, self._accept) for each in self._sockets]
        self._sweep()

    async def _stop(self) -> None:
        self._timer.cancel()
        for remove in self._removers:
            remove()
        for each in self._sockets:
            each.close()
        self._ingress.hurry()
        for connection in list(self._connections):
            connection.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_ended(), CLOSE_TIMEOUT_SECONDS)
        for connection in list(self._connections):
            connection.close()

    async def _all_ended(self) -> None:
        while self._connections:
            self._one_ended.clear()
            await self._one_ended.wait()

    def _accept(self, accepted: socket.socket, address: tuple[Any, ...]) -> None:
        is_full = len(self._connections) >= self._most_connections
        if is_full and not make_room(self._connections):
            self._turn_away(accepted, address[0])
            return
        connection = Connection(
            accepted,
            address[0],
            self._ingress,
            base_path=self._base_path,
            on_end=self._forget,
        )
        self._connections.add(connection)
        connection.serve()

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._one_ended.set()

    def _turn_away(self, accepted: socket.socket, remote: str) -> None:
        with accepted, contextlib.suppress(OSError):
            accepted.send(_BUSY)
        reason = f"more than {self._most_connections} connections"
        self._ingress.note_refusal(remote, 503, reason)

    def _sweep(self) -> None:
        # First of all, so that the next one comes whatever happens in this one.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_INTERVAL_SECONDS, self._sweep)
        now = clock.monotonic()
        for connection in list(self._connections):
            connection.check(now)


def affordable(connections: int) -> int:
    """At most half of the files that this process may open: the store and the user need some."""
    if sys.platform == "win32":
        return connections
    import resource  # noqa: PLC0415 - Windows has none

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return connections if files == resource.RLIM_INFINITY else min(connections, files // 2)


def bind(host: str, port: int, *, patience: float = 0.0) -> list[socket.socket]:
    """Bound, listening sockets for `host`; port 0 takes a free one.

    Tries for `patience` seconds, and then raises `PortTakenError`.
    """
    deadline = clock.monotonic() + patience
    while True:
        try:
            return _bind(host, port)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                reason = getattr(error, "strerror", None) or error
                raise PortTakenError(
                    f"Cannot listen on {host}, port {port}: {reason}. "
                    "Choose an address of this machine, and a port from 1024 to 65535."
                ) from error
            if clock.monotonic() >= deadline:
                raise PortTakenError(
                    f"Port {port} on {host} is taken by another program: end that program, "
                    "or choose another port (port=0 takes a free one)."
                ) from error
            clock.pause(0.05)


def _bind(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that `host` has, all on the same port; or none."""
    if not 0 <= port < 2**16:
        raise ValueError("there is no such port")
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    with contextlib.ExitStack() as undo:
        for family, _, _, _, address in dict.fromkeys(found):
            port = bound[0].getsockname()[1] if bound else port
            if listening := _listening(family, (address[0], port, *address[2:])):
                bound.append(undo.enter_context(listening))
        if not bound:
            raise OSError(errno.EADDRNOTAVAIL, "this machine has no such address")
        undo.pop_all()
    return bound


def _listening(family: int, address: tuple[Any, ...]) -> socket.socket | None:
    """A listening socket; None where the machine knows a name for IPv6, but has no IPv6."""
    with contextlib.ExitStack() as undo:
        try:
            listening = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            _prepare(listening, family)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError as error:
            missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
            if family == socket.AF_INET6 and missing:
                return None
            raise
        undo.pop_all()
    return listening


def _prepare(listening: socket.socket, family: int) -> None:
    if os.name != "nt":  # there it would share the port; here it is free at once after a crash
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.setblocking(False)
