"""The kept-alive connections to one listener."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from webhooklab import clock
from webhooklab.defaults import HANDOVER_CONNECT_SECONDS, HANDOVER_IDLE_SECONDS
from webhooklab.handover.connection import Connection

_PORT: Final = 80


class Pool:
    """Connections to the listener at `url`, each used by one at a time. For one event loop."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORT
        self._idle: list[Connection] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.request_line = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"

    async def take(self) -> Connection:
        """A connection that is open, the last used first. Raises `OSError` when there is none.

        One that has been silent for long is not taken: the listener may be closing it just now.
        """
        while self._idle:
            connection = self._idle.pop()
            fresh = clock.monotonic() - connection.idle_since < HANDOVER_IDLE_SECONDS
            if fresh and connection.open:
                return connection
            connection.close()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(HANDOVER_CONNECT_SECONDS):
            _, made = await loop.create_connection(Connection, self._host, self._port)
        return made

    def give_back(self, connection: Connection) -> None:
        """Have a connection used again. One that is not given back is its user's to close."""
        if self._closed:
            connection.close()
            return
        connection.idle_since = clock.monotonic()
        self._idle.append(connection)
        if self._timer is None:
            self._wait()

    def close(self) -> None:
        """Close what is not in use, and what is given back later."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HANDOVER_IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close those that nobody has needed for long."""
        self._timer = None
        needed_at = clock.monotonic() - HANDOVER_IDLE_SECONDS
        while self._idle and self._idle[0].idle_since <= needed_at:
            self._idle.pop(0).close()
        if self._idle:
            self._wait()
