"""For which deliveries nothing is sent out: not forwarded, not fetched for. Rules, no I/O."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from webhooklab.headers import Headers
from webhooklab.records import Delivery


class Judged(Protocol):
    """What is looked at of a delivery."""

    @property
    def headers(self) -> Headers:
        """The headers as they came."""

    @property
    def verified(self) -> str:
        """What its signature is: "valid", "invalid", ..."""


class Refuse(Protocol):
    """Why nothing is sent out for a delivery; None: it is. `unverified`: whatever its signature."""

    def __call__(self, delivery: Delivery, /, *, unverified: bool) -> str | None:
        """The reason in words."""


def no_refusal(_delivery: Delivery, /, *, unverified: bool) -> None:
    """Something is sent out for all."""


def refusal(
    delivery: Judged, *, allow_origins: Collection[str] = (), must_be_valid: bool = False
) -> str | None:
    """Why nothing is sent out for a delivery; None: something may be.

    A web page can make a browser send to loopback, and the browser then says `Origin` (RFC 6454),
    or, where it only loads something, `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/;
    "none": its user typed the address), or neither, where the page's name was bound to loopback
    anew. Such a delivery is captured and no more, unless `allow_origins` has its origin, or "*".
    `must_be_valid`: its path has a secret, so anybody could have sent what has no valid signature.
    """
    if _by_a_page(delivery.headers, {*allow_origins}):
        return "a web page of another origin sent it (allow_origins= of the Lab lets it)"
    if must_be_valid and delivery.verified != "valid":
        return f"its signature is {delivery.verified}"
    return None


def _by_a_page(headers: Headers, allowed: set[str]) -> bool:
    """Whether a web page that is not allowed to made a browser send it."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if origin is not None:
        return not {origin, "*"} & allowed
    if site is not None:
        return site.lower() != "none" and "*" not in allowed
    return _by_a_name_bound_anew(headers) and not {f"http://{headers.get('host')}", "*"} & allowed


def _by_a_name_bound_anew(headers: Headers) -> bool:
    """Whether a browser was led here by a name of the web's, which its page is then named by.

    It says neither word on http, but at this machine's own names and at addresses, which it trusts
    (https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy), so it is known by its looks.
    """
    agent, language = headers.get("user-agent"), headers.get("accept-language")
    return bool(language) and (agent or "").startswith("Mozilla/") and _is_webs(headers)


def _is_webs(headers: Headers) -> bool:
    name = (headers.get("host") or "").lower().partition(":")[0].rstrip(".")
    top = name.rpartition(".")[2]
    # Addresses end in digits or brackets; names of this machine and of its network are nobody's.
    return "." in name and top.isalpha() and top not in ("localhost", "local", "internal")
