"""Addresses of others that lead to the listener, as a tunnel's does, and what they let through.

A tunnel's address is easily found (certificates are published), so what comes by it must be below
a segment that cannot be guessed, although the listener itself asks for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Gate:
    """What must come below "/<segment>" (`base_path`), and whether it is let through."""

    base_path: str = field(repr=False)
    open: bool = True


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
        self._gates = {**self._gates, host.lower(): gate}

    def of(self, headers: Mapping[str, str]) -> Gate | None:
        """The gate of a request; None for one that came by none."""
        if not self._gates:
            return None
        # A tunnel may name the listener as the host, and the address that was called beside it.
        named = (headers.get("Host", ""), headers.get("X-Forwarded-Host", ""))
        hosts = (name.strip().lower() for name in named)
        return next((self._gates[host] for host in hosts if host in self._gates), None)
