"""Who calls, and by which address: what the socket says, or a proxy that is trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from webhooklab.relay.server.settings import Settings

_HOST: Final = re.compile(
    r"[0-9A-Za-z._-]{1,255}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?"
)
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The other end of a socket, and what is listened on: "http" or "https"."""

    address: str
    scheme: str
    settings: Settings

    def remote(self, headers: Mapping[str, str]) -> str:
        """The sender's address. What a proxy added is the last of what the header lists."""
        if self.settings.trust_proxy:
            last = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            if _ADDRESS.fullmatch(last):
                return last
        return self.address

    def origin(self, headers: Mapping[str, str]) -> str:
        """What stands before the path in the URL that was called; no "/" at its end."""
        if self.settings.public_url is not None:
            return self.settings.public_url.rstrip("/")
        scheme, host = self.scheme, headers.get("Host", "")
        if self.settings.trust_proxy:
            host = _last(headers, "X-Forwarded-Host") or host
            told = _last(headers, "X-Forwarded-Proto")
            scheme = told if told in ("http", "https") else scheme
        return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"


def _last(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").rpartition(",")[2].strip()
