"""Numbers and verdicts in words."""

from __future__ import annotations

import pandas as pd

from webhooklab.redaction import printable

NOT_MEASURED = "not measured"
MEANING = {
    "both": "pushed and polled",
    "push_only": "pushed, but polling overlooked it",
    "poll_only": "polled, but its webhook never came",
    "pending": "too early to tell",
    "unknown": "these data cannot tell",
}
BECAUSE = {
    "baseline": "the polls began after it",
    "not listening": "we did not listen all the time in question",
    "not polled": "no poll covers this entity",
    "nothing ever pushed": "no webhook about this kind of entity had come before: "
    "not registered, or a wrong entity_id path",
    "thin": "an event without a version may have announced it",
    "ambiguous id": "the id stands for two entities",
    "versions do not compare": "the versions of both sides do not compare",
    "invalid signature only": "it came only with an invalid signature",
}
REMEDY = {
    "not polled": "start one that does, lab.poll(url)",
    "thin": "name the version of both, lab.map(version=...) and lab.poll(version=...), or ask the "
    "API after each webhook, lab.fetch_related(...)",
    "ambiguous id": "name the kinds, lab.poll(entity_type=...)",
    "versions do not compare": "name the same of both, lab.map(version=...) and "
    "lab.poll(version=...)",
    "invalid signature only": "see that the secret is right, lab.verify_with(...)",
}
"""What the user can do about it, where there is anything."""

_UNITS = (("d", "h", 3_600, 24), ("h", "min", 60, 60), ("min", "s", 1, 60))
"""A unit, the next smaller one, its seconds, and how many make one of the first."""


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def seconds(span: float) -> str:
    """A duration in the unit that reads best."""
    size = abs(span)
    if size < 100:
        return f"{span:.2g} s" if size < 10 else f"{span:.0f} s"
    return f"{span / 60:.0f} min" if size < 6_000 else f"{span / 3600:.1f} h"


def elapsed(span: float) -> str:
    """A time since something in two units, so that moments close together are told apart."""
    for unit, part, size, parts in _UNITS:
        whole, rest = divmod(round(span / size), parts)
        if whole and span >= 100:
            return f"{whole:,} {unit} {rest} {part}"
    return seconds(span)


def size(octets: int) -> str:
    """A number of bytes in the unit that reads best."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= scale:
            return (
                f"{octets / scale:.1f} {unit}"
                if octets < 10 * scale
                else f"{octets / scale:.0f} {unit}"
            )
    return count(octets, "byte")


def percentiles(lags: pd.Series) -> str | None:
    """Words like "p50 0.03 s, p99 0.4 s" of lags; None without any."""
    known = lags.dropna().dt.total_seconds()
    if known.empty:
        return None
    return f"p50 {seconds(known.quantile(0.5))}, p99 {seconds(known.quantile(0.99))}"


def instant(time: pd.Timestamp | None) -> str:
    """A time to the millisecond, UTC. Nobody knows None and NaT."""
    if time is None or pd.isna(time):
        return "an unknown time"
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d} UTC"


def shortened(text: object, limit: int = 60) -> str:
    """A text from the wire in one line: what is not printable escaped, what is long cut."""
    plain = printable(str(text))
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
