"""A connection from here to a relay: how it is, in words, and when it is tried again."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
)

from webhooklab import clock
from webhooklab.defaults import LINK_MAX_RETRY_SECONDS, LINK_RETRY_SECONDS
from webhooklab.relay.received import FrameError

logger = logging.getLogger(__name__)


class LinkError(Exception):
    """A connection cannot be used; the text says why, in words for the user."""


@dataclass(slots=True)
class Link:
    """How the connection to `host` is. Written by its loop, read by any thread.

    `since`: connected since then, in us; None: not connected. `retry_at`: monotonic; None: it is
    being tried now. `behind`: deliveries that the relay has and we do not; None: nobody knows.
    `dropped`: those that it had, and gave up before we got them.
    """

    host: str
    since: int | None = None
    connections: int = 0
    reason: str | None = None
    retry_at: float | None = None
    behind: int | None = None
    dropped: int = 0

    def connected(self) -> None:
        """From now on deliveries come."""
        self.since, self.retry_at, self.reason = clock.now_us(), None, None
        logger.info("%s", self.words)
        self.connections += 1

    def lost(self, reason: str, seconds: float) -> None:
        """It has ended, or was not made, and is tried again in so many seconds."""
        self.since, self.reason = None, reason
        self.retry_at = clock.monotonic() + seconds
        logger.info("%s", self.words)

    def trying(self) -> None:
        """It is being made."""
        self.retry_at = None

    @property
    def words(self) -> str:
        """What it does, in the present tense."""
        if self.since is not None:
            behind = f", behind by {self.behind:,}" if self.behind else ""
            return f"connected to {self.host} since {_hour(self.since)} UTC{behind}"
        if self.retry_at is None:
            again = f" again ({self.reason})" if self.reason else ""
            return f"connecting to {self.host}{again}"
        left = max(0.0, self.retry_at - clock.monotonic())
        return f"reconnecting to {self.host} in {left:.0f} s: {self.reason}"


def _hour(since: int) -> str:
    return f"{clock.to_datetime(since):%Y-%m-%d %H:%M:%S}"


def pauses() -> Iterator[float]:
    """How long to wait before each next try, in seconds: longer and longer, and never in step.

    "Full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    most = LINK_RETRY_SECONDS
    while True:
        yield random.uniform(most / 10, most)  # noqa: S311 - no secret
        most = min(2 * most, LINK_MAX_RETRY_SECONDS)


def why(error: Exception) -> str:
    """Why a connection ended, in words of ours: what others wrote may hold anything."""
    match error:
        case LinkError() | FrameError():
            words = str(error)
        case InvalidProxyStatus():
            words = f"the proxy of this network answers {error.response.status_code}"
        case ProxyError() | httpx.ProxyError():
            words = "the proxy of this network cannot be used (HTTPS_PROXY names it)"
        case InvalidStatus():
            words = f"it answers {error.response.status_code}"
        case ConnectionClosed():
            words = "the connection broke" if error.rcvd is None else "it ended the connection"
        case TimeoutError() | httpx.TimeoutException():
            words = "it is silent"
        case OSError(strerror=str(words)):
            pass
        case _:
            words = f"the connection failed ({type(error).__name__})"
    return words
