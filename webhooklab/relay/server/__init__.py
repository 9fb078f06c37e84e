"""The relay itself: `webhooklab relay`. Needs neither Jupyter nor pandas.

settings            what an operator says
keys                secrets: made, hashed, sealed
schema database     the relay's file: its tables, opened
changes file        what happens to it, in groups; what is read from it
rates budget        how often something may happen, how much at one time
session             one reader's link: window, acknowledgements, answers
relay               channels, deliveries and readers, without a socket
origins             who calls, and by which address
sending             one delivery over HTTP
pages reading       all else over HTTP; a reader's WebSocket
connection serving  sockets, TLS, deadlines
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from webhooklab.relay.server.serving import RelayServer
from webhooklab.relay.server.settings import Settings

__all__ = ["RelayServer", "Settings", "run"]


def run(settings: Settings, on_ready: Callable[[str], object]) -> None:
    """Run a relay until SIGTERM or Ctrl-C; SIGHUP has it read its certificate anew.

    `on_ready` gets the URL at which it listens. Raises `RelayError` and `PortTakenError`.
    """
    asyncio.run(_run(settings, on_ready))


async def _run(settings: Settings, on_ready: Callable[[str], object]) -> None:
    server = RelayServer(settings)
    server.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, server.reload)
    on_ready(server.url)
    await ended.wait()
    await server.stop()
