"""Instants as providers write them, read as microseconds since the epoch, UTC."""

from __future__ import annotations

import re
from datetime import datetime

from webhooklab.clock import from_datetime

_UNITS_PER_SECOND = (1, 1_000, 1_000_000, 1_000_000_000)
_LATEST_SECOND = 100_000_000_000
"""A larger number is not seconds (that would be the year 5138) but a finer unit."""
_EARLIEST_US, _LATEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999: what a datetime can hold."""
_LONGEST_EXACT = 4_000
"""Python refuses to read longer integers (CVE-2020-10735); they are no times, or all but zeros."""

# As `ISO` in inbox/inbox.mjs. Python's own reader takes more, and not for what it says: it reads
# 20260304120000Z as eight in the evening.
_iso = re.compile(
    r"(?:\d{4}-\d\d-\d\d|\d{8})"
    r"(?:\D(?:\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?|\d{4}(?:\d\d(?:[.,]\d+)?)?)"
    r" ?(?:[Zz]|[+-]\d\d(?::\d\d(?::\d\d)?|\d\d(?:\d\d)?)?)?)?",
    re.ASCII,
).fullmatch


def parse_instant(value: object) -> int | None:
    """Read an RFC 3339 / ISO 8601 text, or a Unix time in s, ms, us or ns (told by its size).

    Returns microseconds since the epoch; finer digits are dropped. A text or datetime without an
    offset is read as UTC. None for whatever is not an instant, or lies outside the years 1 to 9999.
    """
    instant = _parse(value)
    return instant if instant is not None and is_instant(instant) else None


def is_instant(us: int) -> bool:
    """Whether so many microseconds since the epoch are in the years that a datetime can hold."""
    return _EARLIEST_US <= us <= _LATEST_US


def _parse(value: object) -> int | None:
    if isinstance(value, str):
        return _parse_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _parse_unix(value)
    if isinstance(value, datetime) and value == value:  # noqa: PLR0124 - pandas' NaT does not
        return from_datetime(value)
    return None


def _parse_text(text: str) -> int | None:
    number = text.removeprefix("-")
    if number.isascii() and number.replace(".", "", 1).isdigit():
        is_exact = "." not in text and len(text) <= _LONGEST_EXACT
        return _parse_unix(int(text) if is_exact else float(text))
    if _iso(text) is None:
        return None
    try:
        return from_datetime(datetime.fromisoformat(_plain(text)))
    except ValueError:
        return None


def _plain(text: str) -> str:
    """As Python reads it: no space before the offset, and Z in upper case."""
    return text[:11] + text[11:].replace(" ", "").upper()


def _parse_unix(number: float) -> int | None:
    for per_second in _UNITS_PER_SECOND:
        if abs(number) < _LATEST_SECOND * per_second:
            return _to_us(number, per_second)
    return None


def _to_us(number: float, per_second: int) -> int:
    if isinstance(number, int):
        return number * 1_000_000 // per_second
    return round(number * (1_000_000 / per_second))
