"""What clients of ours go by when they call other servers. One of the doors to httpx."""

from __future__ import annotations

import functools
import ssl
from typing import Final

import httpx

from webhooklab.exposure import NOBODY, reach_of

TRY_AGAIN: Final = frozenset({408, 425, 429, *range(500, 600)}) - {501, 505}
"""Statuses after which the same request may be answered otherwise."""
MAX_DETAIL_CHARACTERS: Final = 200
"""So much of what others say goes into an error's text."""


@functools.cache
def certificates() -> ssl.SSLContext:
    """The trusted authorities: reading them takes 100 ms, so clients share them."""
    return httpx.create_ssl_context()


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine: what does is not asked for by way of a proxy."""
    return reach_of(url) == NOBODY
