"""How much a capture file is to keep, as users say it. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from webhooklab.defaults import MIN_KEPT_BYTES
from webhooklab.errors import RetentionError

Given: TypeAlias = str | int | timedelta | None
"""A span ("7d", a timedelta), a number of deliveries, a size ("2GB"), or None: all."""

_SECONDS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES: Final = {
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_TEXT: Final = re.compile(r"\s*(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)\s*", re.IGNORECASE | re.ASCII)
_MOST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept: so many of the newest deliveries, those of so many seconds, or so many bytes.

    One of the three is given. `text` is how the user said it.
    """

    text: str
    rows: int | None = None
    seconds: float | None = None
    size: int | None = None


def parse_keep(given: Given) -> Keep | None:
    """Read `keep`; None keeps all. Raises `RetentionError`.

    Spans: s, min, h, d, w. Sizes: KB, MB, GB, TB (powers of 1000), KiB to TiB (of 1024).
    """
    if given is None:
        return None
    if isinstance(given, timedelta):
        seconds = given.total_seconds()
        return _checked(
            Keep(f"{seconds:.6f}".rstrip("0").rstrip(".") + "s", seconds=seconds), given
        )
    if isinstance(given, int) and not isinstance(given, bool):
        return _checked(Keep(str(given), rows=given), given)
    found = _TEXT.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise _wrong(given)
    return _checked(_measured(found[1].replace("_", ""), found[2].lower(), given), given)


def _measured(number: str, unit: str, given: Given) -> Keep:
    text = str(given).strip()
    if unit in _SECONDS:
        return Keep(text, seconds=float(number) * _SECONDS[unit])
    if unit in _BYTES:
        return Keep(text, size=int(float(number) * _BYTES[unit]))
    if not unit and number.isdigit():
        return Keep(text, rows=int(number))
    raise _wrong(given)


def _checked(keep: Keep, given: Given) -> Keep:
    if keep.size is not None and keep.size < MIN_KEPT_BYTES:
        raise RetentionError(f"keep={given!r}: an empty file takes that already. Keep 1MB or more.")
    if not 0 < (keep.rows or keep.seconds or keep.size or 0) < _MOST:
        raise _wrong(given)
    return keep


def _wrong(given: object) -> RetentionError:
    return RetentionError(
        f'keep={given!r} is not understood: pass a span ("7d", "12h", "30min"), a number of '
        'deliveries (100_000), a size ("2GB"), or None to keep all.'
    )
