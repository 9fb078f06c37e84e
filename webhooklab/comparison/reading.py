"""Version texts read as what they are: numbers, instants, or opaque tokens (rule 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import NAT, Array
from webhooklab.instants import parse_instant

NONE, INTEGER, INSTANT, TOKEN, LONG_NUMBER, LONG_INSTANT = range(6)
"""Kinds of text. The long ones have more digits than an int64 or a microsecond holds."""

_INTEGER: Final = r"-?\d{1,18}"
_LEAST_LONG: Final = 10**18
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_DATE_TIME: Final = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d"
_ZONE: Final = r"(?:[Zz]|[+-]\d\d:\d\d)"
_PLAIN_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)"
_ANY_INSTANT: Final = rf"{_DATE_TIME}(?:\.\d+)?{_ZONE}"
_SECONDS: Final = 946_684_800, 4_102_444_800
"""The years 2000 to 2099: a number in there, as s or ms since 1970, can be an instant."""


@dataclass
class Readings:
    """One text per row: its kind, its value (a number, or us), its digits after the second."""

    text: pd.Series
    kind: Array
    value: Array
    digits: Array


def read(*sides: pd.Series) -> Readings:
    """Read columns of version texts, one after the other; a side mostly writes in one form."""
    parts = [_read_one(text.reset_index(drop=True)) for text in sides if len(text)]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _unread(pd.Series([], dtype="str"))
    return Readings(
        pd.concat([part.text for part in parts], ignore_index=True),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.digits for part in parts]),
    )


def _unread(text: pd.Series) -> Readings:
    count = len(text)
    return Readings(text, np.zeros(count, "i1"), np.zeros(count, "i8"), np.zeros(count, "i1"))


def _read_one(text: pd.Series) -> Readings:
    readings = _unread(text)
    left = text.notna().to_numpy()
    if not left.any() or _read_uniform(readings, left):
        return readings
    for reader in (_read_integers, _read_instants):
        if left.any():
            left = left & ~reader(readings, left)
    if left.any():
        _read_others(readings, np.flatnonzero(left))
    return readings


def _read_uniform(readings: Readings, rows: Array) -> bool:
    """Read texts that are all of the first one's form, without looking at each; else False.

    Arrow reads hexadecimal numbers and instants without seconds, too: these are looked at.
    """
    text = _part(readings.text, rows)
    first = str(text.iloc[0])
    if re.fullmatch(_INTEGER, first, re.ASCII):
        return _read_uniformly(readings, rows, text, INTEGER, 0)
    if not re.fullmatch(_PLAIN_INSTANT, first, re.ASCII) or not first.endswith("Z"):
        return False
    if (text.str.len() != len(first)).any() or not text.str.endswith("Z").all():
        return False
    return _read_uniformly(readings, rows, text, INSTANT, max(len(first) - 21, 0))


def _read_uniformly(
    readings: Readings, rows: Array, text: pd.Series, kind: int, digits: int
) -> bool:
    dtype = "int64[pyarrow]" if kind == INTEGER else "timestamp[us, tz=UTC][pyarrow]"
    try:
        value = _cast(text, dtype)
    except ValueError:
        return False
    if kind == INTEGER and (
        int(np.abs(value).max()) >= _LEAST_LONG
        or (text.str.contains("x", regex=False) | text.str.contains("X", regex=False)).any()
    ):
        return False
    readings.kind[rows], readings.value[rows], readings.digits[rows] = kind, value, digits
    return True


def _part(text: pd.Series, rows: Array) -> pd.Series:
    return text if rows.all() else text[rows]


def _matching(text: pd.Series, rows: Array, pattern: str) -> Array:
    found = np.zeros(len(text), bool)
    found[rows] = _part(text, rows).str.fullmatch(pattern).to_numpy(bool)
    return found


def _read_integers(readings: Readings, rows: Array) -> Array:
    found = _matching(readings.text, rows, _INTEGER)
    readings.kind[found] = INTEGER
    readings.value[found] = _cast(_part(readings.text, found), "int64[pyarrow]")
    return found


def _read_instants(readings: Readings, rows: Array) -> Array:
    """Those of up to six digits. One with an impossible date goes on to the slower reader."""
    found = _matching(readings.text, rows, _PLAIN_INSTANT)
    if not found.any():
        return found
    text = _part(readings.text, found)
    try:
        value = _cast(text, "timestamp[us, tz=UTC][pyarrow]")
    except ValueError:
        return np.zeros_like(found)
    readings.kind[found] = INSTANT
    readings.value[found] = value
    readings.digits[found] = _digits(text)
    return found


def _cast(text: pd.Series, dtype: str) -> Array:
    # Arrow parses a million texts in the time that pandas takes for fifty thousand.
    converted = text.astype(dtype)  # type: ignore[call-overload]
    return converted.astype("int64[pyarrow]").to_numpy("i8")  # type: ignore[no-any-return]


def _digits(text: pd.Series) -> Array:
    """Digits after the second: the length beyond `2026-01-01T00:00:00`, the zone and the dot."""
    zone = np.where(text.str.endswith("Z").to_numpy(bool), 1, 6)
    beyond = text.str.len().to_numpy("i8") - 19 - zone
    return np.where(beyond > 0, beyond - 1, 0)


def _read_others(readings: Readings, rows: Array) -> None:
    text = readings.text.iloc[rows]
    number = text.str.fullmatch(_NUMBER).to_numpy(bool).copy()
    instant = text.str.fullmatch(_ANY_INSTANT).to_numpy(bool).copy()
    instant[instant] = [exact_instant(each) is not None for each in text[instant]]
    readings.kind[rows] = np.select([number, instant], [LONG_NUMBER, LONG_INSTANT], TOKEN)


def exact_instant(text: str) -> tuple[int, int] | None:
    """An RFC 3339 text as (10^-18 s since 1970, digits after the second); None: no such date."""
    head, _, tail = text.partition(".")
    digits = "".join(_leading_digits(tail))
    zone = tail[len(digits) :] if digits else head[19:]
    seconds = parse_instant(head[:19].upper() + zone.upper())
    if seconds is None:
        return None
    return seconds // 1_000_000 * 10**18 + int(digits[:18].ljust(18, "0")), len(digits)


def _leading_digits(text: str) -> list[str]:
    found: list[str] = []
    for character in text:
        if not character.isdigit():
            break
        found.append(character)
    return found


def epoch(text: str) -> tuple[int, int] | None:
    """A number as an instant like `exact_instant`, if it can be s or ms since 1970; else None."""
    number = Decimal(text)
    for per_second, digits in ((1, 0), (1000, 3)):
        if _SECONDS[0] * per_second <= number < _SECONDS[1] * per_second:
            fraction = -int(number.as_tuple().exponent)
            return int(number / per_second * 10**18), digits + max(fraction, 0)
    return None


class Spellings:
    """Versions of entities, found again however they are spelled.

    More is found than rule 4 calls equal, instants at the coarser text's precision: this is for
    doubts, not for verdicts.
    """

    def __init__(self) -> None:
        self._texts: set[tuple[int, object]] = set()
        self._instants: set[tuple[int, int, int, int]] = set()
        self._digits: set[int] = set()

    def add(self, entity: int, text: str) -> None:
        """Add a version of an entity."""
        self._texts.add((entity, _plain(text)))
        for value, digits in _as_instants(text):
            self._digits.add(digits)
            for fewer in range(digits + 1):
                self._instants.add((entity, digits, fewer, value // 10 ** (18 - fewer)))

    def may_hold(self, entity: int, text: str | None) -> bool:
        """Whether a version that was added may be this one."""
        if not isinstance(text, str):
            return False
        if (entity, _plain(text)) in self._texts:
            return True
        return any(
            (entity, digits, both := min(digits, own), value // 10 ** (18 - both)) in self._instants
            for value, own in _as_instants(text)
            for digits in self._digits
        )


def _plain(text: str) -> object:
    return Decimal(text) if re.fullmatch(_NUMBER, text, re.ASCII) else text


def _as_instants(text: str) -> list[tuple[int, int]]:
    if re.fullmatch(_NUMBER, text, re.ASCII):
        found = epoch(text)
    else:
        found = exact_instant(text) if re.fullmatch(_ANY_INSTANT, text, re.ASCII) else None
    return [(found[0], min(found[1], 18))] if found else []


def epoch_us(value: Array) -> Array:
    """Integers that can be s or ms since 1970 as us; the others are `NAT`."""
    result = np.full(len(value), NAT)
    for per_second in (1, 1000):
        fits = (value >= _SECONDS[0] * per_second) & (value < _SECONDS[1] * per_second)
        result[fits] = value[fits] * (1_000_000 // per_second)
    return result


def as_time(readings: Readings, rows: Array) -> Array:
    """The versions of some rows as us where they are instants, else `NAT` (rule 14)."""
    kind, value = readings.kind[rows], readings.value[rows]
    result = np.full(len(rows), NAT)
    result[kind == INSTANT] = value[kind == INSTANT]
    result[kind == INTEGER] = epoch_us(value[kind == INTEGER])
    for at in np.flatnonzero(kind >= LONG_NUMBER):
        text = readings.text.iloc[rows[at]]
        exact = exact_instant(text) if kind[at] == LONG_INSTANT else epoch(text)
        if exact is not None:
            result[at] = exact[0] // 10**12
    return result
