"""A WebSocket from here to a relay: cut when it is over, not closed with a handshake.

A relay that has gone does not answer a close frame, and who waits for it waits for long (8 to 45
seconds were measured). Redirects are not followed: what is sent on it is secret. The door to
`websockets`; it uses the proxies of the environment.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

from webhooklab.defaults import (
    LINK_ABORT_SECONDS,
    LINK_CONNECT_SECONDS,
    LINK_PING_SECONDS,
    MAX_LINK_FRAME_BYTES,
)

_logger = logging.getLogger(f"{__name__}.frames")
# The library logs each frame and header for debugging, and our keys are in some.
_logger.setLevel(logging.INFO)


class _Connect(connect):
    """Stays where it was told to connect to."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The library's: where to connect instead."""
        return exc


@asynccontextmanager
async def socket(
    url: str, *, headers: Mapping[str, str] | None = None, pings: bool = True
) -> AsyncIterator[ClientConnection]:
    """An open WebSocket, for as long as the block lasts. Raises what the library raises.

    `pings`: ask the other end again and again whether it is there, and fail when it is not.
    """
    every = LINK_PING_SECONDS if pings else None
    connection = await _Connect(
        url,
        additional_headers=headers,
        user_agent_header="webhooklab",
        logger=_logger,
        open_timeout=LINK_CONNECT_SECONDS,
        close_timeout=LINK_ABORT_SECONDS,
        ping_interval=every,
        ping_timeout=every,
        max_size=MAX_LINK_FRAME_BYTES,
    )
    try:
        yield connection
    finally:
        connection.transport.abort()
