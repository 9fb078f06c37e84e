"""How old a signature is, against how old it may be."""

from __future__ import annotations

import re

from webhooklab.instants import parse_instant
from webhooklab.signatures.material import Material, template
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.verification import Verification, invalid, valid

_number = re.compile(r"\d{1,16}(\.\d{1,9})?").fullmatch
_PER_SECOND = {"s": 1, "ms": 1_000}


def judge(
    scheme: Scheme, material: Material, now_us: int | None, tolerance_seconds: float | None
) -> Verification:
    """The verdict on a signature that matches: it may be too old, or from the future."""
    matches = "the signature matches"
    if scheme.covers:
        matches = f"it matches, but {scheme.covers}"
    if scheme.timestamp is None or tolerance_seconds is None:
        return valid(matches)
    if scheme.timestamp.startswith("{json:") and _says_nothing(scheme.timestamp, material):
        return valid(f"{matches}; the body does not say when it was sent, so its age is unknown")
    signed_at = _instant(scheme, template(scheme.timestamp)(material).decode("latin-1"))
    if signed_at is None:
        raise Problem(invalid("the timestamp is malformed"))
    if now_us is None:
        return valid(f"{matches}; how old it is was not checked: pass now=")
    return _by_age(scheme, (now_us - signed_at) / 1e6, tolerance_seconds, matches)


def _by_age(scheme: Scheme, age: float, tolerance: float, matches: str) -> Verification:
    allowed = f"the tolerance is {_seconds(tolerance)}"
    if age > tolerance:
        return invalid(f"the timestamp is {_seconds(age)} old, {allowed}")
    if age < -tolerance and scheme.ahead:
        return invalid(f"the timestamp is {_seconds(-age)} ahead of the clock, {allowed}")
    return valid(f"{matches}; the timestamp is {_seconds(max(age, 0))} old, {allowed}")


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value == round(value) or value >= 100 else f"{value:,.1f} s"


def _says_nothing(place: str, material: Material) -> bool:
    return material.json(place.strip("{}").partition(":")[2]) is None


def _instant(scheme: Scheme, text: str) -> int | None:
    """Microseconds since the epoch; None for what is not written as the scheme says."""
    if scheme.unit == "rfc3339":
        return None if _number(text) else parse_instant(text)
    if not _number(text):
        return None
    return round(float(text) * 1_000_000 / _PER_SECOND[scheme.unit])
