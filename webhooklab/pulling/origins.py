"""Where requests may go: one origin, and no other. URLs without secrets. The door to httpx.URL."""

from __future__ import annotations

from typing import Final

import httpx

from webhooklab.errors import PullArgumentError
from webhooklab.redaction import MASK, mask_query

_PORTS: Final = {"http": 80, "https": 443}
_MAX_PORT: Final = 65_535


def parsed(url: str) -> httpx.URL:
    """An absolute http(s) URL without its fragment. Raises `PullArgumentError`."""
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError) as error:
        raise PullArgumentError(f"{_shown(url)} is not a URL: pass https://host/path.") from error
    if read.scheme not in _PORTS or not read.host or (read.port or 0) > _MAX_PORT:
        raise PullArgumentError(
            f"{_shown(url)} is not an absolute http(s) URL: pass https://host/path."
        )
    return read.copy_with(fragment=None)


def origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454): what credentials are meant for."""
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def joined(base: httpx.URL, reference: str) -> httpx.URL | None:
    """A reference resolved against a URL, without userinfo; None when it is not a URL."""
    try:
        read = base.join(reference)
        return read.copy_with(fragment=None, userinfo=b"")
    except (httpx.InvalidURL, ValueError):
        return None


def masked(url: httpx.URL) -> str:
    """The URL as it may be shown: credentials are `***`."""
    query = mask_query(url.query.decode("ascii"))
    shown = url.copy_with(query=query.encode("ascii") if query else None)
    if not url.userinfo:
        return str(shown)
    bare = str(shown.copy_with(userinfo=b""))
    return bare.replace("://", f"://{MASK}@", 1)


def _shown(url: object) -> str:
    """What was given for a URL, as far as it is surely no credential."""
    return repr(str(url).partition("?")[0].rpartition("@")[2][:80])
