"""For which deliveries nothing is sent out: not forwarded, not fetched for. Rules, no I/O."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from webhooklab.headers import Headers


class Judged(Protocol):
    """What is looked at of a delivery."""

    @property
    def headers(self) -> Headers:
        """The headers as they came."""

    @property
    def verified(self) -> str:
        """What its signature is: "valid", "invalid", ..."""


def refusal(
    delivery: Judged, *, allow_origins: Collection[str] = (), must_be_valid: bool = False
) -> str | None:
    """Why nothing is sent out for a delivery; None: something may be.

    A web page can make a browser send to loopback, and the browser then says `Origin` (RFC 6454),
    or, where it only loads something, `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/;
    "none": its user typed the address). Such a delivery is captured and no more, unless
    `allow_origins` has its origin, or "*". `must_be_valid`: its path has a secret, so anybody could
    have sent what has no valid signature.
    """
    if _by_a_page(delivery.headers, {*allow_origins}):
        return "a web page of another origin sent it (allow_origins= of the Lab lets it)"
    if must_be_valid and delivery.verified != "valid":
        return f"its signature is {delivery.verified}"
    return None


def _by_a_page(headers: Headers, allowed: set[str]) -> bool:
    """Whether a web page that is not allowed to made a browser send it."""
    origin = headers.get("origin")
    if origin is None:
        site = headers.get("sec-fetch-site")
        return site is not None and site.lower() != "none" and "*" not in allowed
    return not {origin, "*"} & allowed
