"""What is said of a delivery's signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["valid", "invalid", "unverifiable", "unsigned", "unchecked"]


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a delivery's signature holds, and why (not), in words that one can act on.

    `unverifiable` is not `invalid`: something that is needed to decide is missing (the signed URL,
    a certificate, a usable secret), or a relay wrote the body anew. `unsigned`: the delivery
    carries no signature. `unchecked`: nobody has looked; `reason` is None.
    """

    status: Status = "unchecked"
    reason: str | None = None


UNCHECKED = Verification()


def valid(reason: str) -> Verification:
    """The signature holds."""
    return Verification("valid", reason)


def invalid(reason: str) -> Verification:
    """There is a signature, and it does not hold."""
    return Verification("invalid", reason)


def unverifiable(reason: str) -> Verification:
    """It cannot be decided; the reason says what to pass."""
    return Verification("unverifiable", reason)


def unsigned(reason: str) -> Verification:
    """There is no signature."""
    return Verification("unsigned", reason)
