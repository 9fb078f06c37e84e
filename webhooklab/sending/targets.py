"""Where deliveries are sent on to: exactly one URL, or paths below it, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import httpx

from webhooklab.calling import is_here
from webhooklab.errors import PullArgumentError, SendArgumentError
from webhooklab.pulling.origins import masked, parsed

_PORTS: Final = {"http": 80, "https": 443}
_DECODINGS: Final = 4
"""Servers and proxies may decode more than once; no honest path is written in more layers."""
_separators: Final = re.compile(rb"[/\\]")
_unseen: Final = re.compile(rb"[\x00-\x20\x7f]")


class PathRefused(Exception):
    """A delivery's path could lead out of the target."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that deliveries go to; `keep_path`: to their own paths below it."""

    url: httpx.URL
    keep_path: bool = False

    @property
    def shown(self) -> str:
        """The URL without secrets."""
        return masked(self.url)

    @property
    def host(self) -> bytes:
        """What the header Host says."""
        return self.url.netloc

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine, by its name or address alone: nothing is asked for it."""
        return is_here(str(self.url))

    @property
    def port(self) -> int:
        """Its port, also where the URL does not say it."""
        return self.url.port or _PORTS[self.url.scheme]

    def shown_for(self, path: str) -> str:
        """The URL without secrets that a delivery to `path` goes to."""
        if not self.keep_path:
            return self.shown
        return masked(self.url.copy_with(raw_path=self._raw(path, "")))

    def address_for(self, path: str, query_string: str) -> tuple[bytes, str]:
        """The request target for a delivery, as it goes over the wire, and the whole URL.

        Its query follows the URL's own. Raises `PathRefused`.
        """
        raw = self._raw(path, query_string)
        base = f"{self.url.scheme}://{self.host.decode('ascii')}"
        return raw, base + raw.decode("ascii")

    def _raw(self, path: str, query_string: str) -> bytes:
        own_path, _, own_query = self.url.raw_path.partition(b"?")
        if self.keep_path:
            own_path = own_path.rstrip(b"/") + _checked(path)
        query = b"&".join(part for part in (own_query, _visible(query_string)) if part)
        return own_path + (b"?" + query if query else b"")


def target_from(url: str, *, keep_path: bool = False) -> tuple[Target, tuple[str, str] | None]:
    """The target of a URL, and the user and password that it has. Raises `SendArgumentError`."""
    try:
        read = parsed(url)
    except PullArgumentError as error:
        raise SendArgumentError(str(error)) from None
    login = (read.username, read.password) if read.userinfo else None
    return Target(read.copy_with(userinfo=b""), keep_path), login


def check_no_loop(url: str, *own: str) -> None:
    """Raise `SendArgumentError` for a URL that leads to what listens at one of our `own` URLs."""
    target, _ = target_from(url)
    if any(_is_same(target, each) for each in own):
        raise SendArgumentError(
            f"{target.shown} is this Lab itself: what it forwards would come again and again. "
            "Pass the URL of another service."
        )


def _is_same(target: Target, url: str) -> bool:
    """Whether a target is what listens at `url`: on the same port, on the same or this machine.

    One that listens behind a path, as public URLs may, has only that.
    """
    if not url:
        return False
    ours = Target(httpx.URL(url))
    if not target.url.path.startswith(ours.url.path.rstrip("/")):
        return False
    if target.port != ours.port:
        return False
    both_here = target.loopback and ours.loopback
    return target.url.host == ours.url.host or both_here or ours.url.host in ("0.0.0.0", "::")  # noqa: S104


def _checked(path: str) -> bytes:
    """A delivery's path, as it goes over the wire."""
    if not path.startswith("/"):
        raise PathRefused("its path does not begin with a slash")
    decoded = path.encode("latin-1", "replace")
    for _ in range(_DECODINGS):
        if any(_is_dots(segment) for segment in _separators.split(decoded)):
            raise PathRefused("its path has a dot segment, which could lead out of the target")
        before, decoded = decoded, unquote_to_bytes(decoded)
        if before == decoded:
            return _visible(path)
    raise PathRefused("its path is encoded again and again")


def _is_dots(segment: bytes) -> bool:
    # Some servers cut a segment's parameters off (";"), and what cannot be seen.
    return _unseen.sub(b"", segment).partition(b";")[0] in (b".", b"..")


def _visible(text: str) -> bytes:
    """Text from the wire; bytes that HTTP does not send there are %-encoded."""
    raw = text.encode("latin-1", "replace")
    return b"".join(bytes([byte]) if 32 < byte < 127 else b"%%%02X" % byte for byte in raw)
