"""What of a lab's answer goes to a sender from a public origin that is not the lab's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from webhooklab.headers import Pair

_NAMES: Final = frozenset(
    (
        *("content-type", "content-language", "cache-control", "retry-after", "allow", "vary"),
        *("etag", "last-modified", "access-control-allow-origin", "access-control-max-age"),
        *("access-control-allow-methods", "access-control-allow-headers"),
        # What providers want repeated when a URL is registered (Asana, CloudEvents, RingCentral).
        *("x-hook-secret", "webhook-allowed-origin", "webhook-allowed-rate", "validation-token"),
    )
)
"""No cookies, no redirects, no sign-in boxes."""

PLAIN: Final[tuple[Pair, ...]] = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
"""Headers of whatever is answered there: not to be kept, nor to act in that origin's name."""


def given_back(headers: Iterable[Pair]) -> list[Pair]:
    """The headers of a lab's answer that a sender gets."""
    return [pair for pair in headers if pair[0].lower() in _NAMES]
