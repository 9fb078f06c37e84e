"""How old a signature is, against how old it may be."""

from __future__ import annotations

import re

from webhooklab.instants import parse_instant
from webhooklab.signatures.material import Material, template
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.verification import Verification, invalid, valid

_number = re.compile(rb"\d{1,16}(\.\d{1,9})?").fullmatch
_PER_SECOND = {"s": 1, "ms": 1_000}


class Age:
    """Judges the age of signatures that match. `tolerance_seconds`: None: the scheme's own."""

    def __init__(self, scheme: Scheme, tolerance_seconds: float | None) -> None:
        self._scheme = scheme
        own = scheme.tolerance_seconds
        self._tolerance = own if tolerance_seconds is None else tolerance_seconds
        self._time = template(scheme.timestamp) if scheme.timestamp else None
        self._path = scheme.timestamp_path
        matches = f"it matches, but {scheme.covers}" if scheme.covers else "the signature matches"
        limit = _seconds(self._tolerance or 0)
        self._allowed = f"the tolerance is {limit}"
        self._ageless = valid(matches)
        self._fresh = valid(f"{matches}, and it is no older than {limit}")
        self._unchecked = valid(f"{matches}; how old it is was not checked: pass now=")
        self._silent = valid(f"{matches}; the body does not say when, so its age is unknown")

    def judge(self, material: Material, now_us: int | None) -> Verification:
        """Valid, or too old, or from the future. Raises `Problem` where the time is missing."""
        if self._time is None or self._tolerance is None:
            return self._ageless
        if self._path is not None and material.json(self._path) is None:
            return self._silent
        signed_us = self._instant(self._time(material))
        if signed_us is None:
            return invalid("the timestamp is malformed")
        if now_us is None:
            return self._unchecked
        return self._by_age((now_us - signed_us) / 1e6, self._tolerance)

    def _by_age(self, age: float, tolerance: float) -> Verification:
        if age > tolerance:
            return invalid(f"the timestamp is {_seconds(age)} old, {self._allowed}")
        if age < -tolerance and self._scheme.ahead:
            ahead = f"the timestamp is {_seconds(-age)} ahead of the clock"
            return invalid(f"{ahead}, {self._allowed}")
        return self._fresh

    def _instant(self, written: bytes) -> int | None:
        """Microseconds since the epoch; None for what is not written as the scheme says."""
        if self._scheme.unit == "rfc3339":
            return None if _number(written) else parse_instant(written.decode("latin-1"))
        per_second = _PER_SECOND[self._scheme.unit]
        if written.isdigit() and len(written) <= 16:
            return int(written) * (1_000_000 // per_second)
        return round(float(written) * 1_000_000 / per_second) if _number(written) else None


def _seconds(value: float) -> str:
    """`412 s`, `0.3 s`: with a digit behind the point where it tells something."""
    return f"{value:.1f} s" if -100 < value < 100 and value % 1 else f"{value:,.0f} s"
