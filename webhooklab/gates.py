"""Addresses of others that lead to the listener, as a tunnel's does, and what they let through.

A tunnel's address is easily found (certificates are published), so what comes by it must be below
a segment that cannot be guessed, although the listener itself asks for none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

_PORT: Final = re.compile(r":[0-9]*$")


@dataclass(frozen=True, slots=True)
class Gate:
    """What must come below "/<segment>" (`base_path`), and whether it is let through."""

    base_path: str = field(repr=False)
    open: bool = True


class HasFields(Protocol):
    """Header fields, found by name in any case."""

    def get(self, name: str, /) -> str | None:
        """The value of a field; None: it is not there."""


class TakesGates(Protocol):
    """Where gates are set: those of a listener here, or in another process."""

    def set(self, host: str, gate: Gate) -> None:
        """What names this host passes this gate from now on."""


class Gates:
    """Gates by host, as senders name it in `Host`. One object, changed and read by threads."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    def set(self, host: str, gate: Gate) -> None:
        """What names this host passes this gate from now on."""
        self._gates = {**self._gates, _bare(host): gate}

    def of(self, headers: HasFields) -> Gate | None:
        """The gate of a request; None for one that came by none."""
        if not self._gates:
            return None
        # A tunnel may name the listener as the host, and the address that was called beside it,
        # after what the sender itself has said there.
        named = f"{headers.get('Host') or ''},{headers.get('X-Forwarded-Host') or ''}"
        hosts = map(_bare, named.split(","))
        return next((self._gates[host] for host in hosts if host in self._gates), None)


def _bare(host: str) -> str:
    """A host as all spellings of it are: senders choose among them.

    Without its port, but on this machine: there ports tell a tunnel from the listener itself.
    """
    named = host.strip().lower()
    name = _PORT.sub("", named).rstrip(".")
    return named if name == "localhost" or name.startswith(("127.", "[::1]")) else name
