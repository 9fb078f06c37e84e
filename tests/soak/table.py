"""Intervals and findings as text."""

from __future__ import annotations

from dataclasses import astuple, fields

from tests.soak.bounds import Finding
from tests.soak.course import Delay, Interval
from tests.soak.place import Holding

NAMES = tuple(each.name for each in fields(Holding))
DELAYS = ("behind p50/p99 ms", "answered p50/p99 ms", "visible p50/p99 ms")
HEAD = " | ".join(("| after s", "sent", "seen", *DELAYS, "frames/s", *NAMES, "load |"))


def head() -> str:
    """The table's first two lines."""
    return f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}"


def line(each: Interval, seconds: float) -> str:
    """One interval, of so many seconds."""
    cells = (
        *(f"{(each.number + 1) * seconds:.0f}", f"{each.sent}", f"{each.seen}"),
        *(
            _delay(each.behind),
            _delay(each.answered),
            _delay(each.visible),
            f"{each.frames_per_second:.0f}",
        ),
        *(f"{value:.0f}" for value in astuple(each.holding)),
        f"{each.load:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _delay(delay: Delay) -> str:
    return f"{delay.p50:.1f} / {delay.p99:.0f}"


def verdict(found: list[Finding]) -> str:
    """A line for each finding, and the verdict in the last one."""
    lines = [
        f"{'ok    ' if each.holds else 'BROKEN'} {each.what}: {each.figure:.1f} {each.unit}"
        f" (at most {each.bound:.1f})"
        for each in found
    ]
    broken = sum(not each.holds for each in found)
    lines.append(f"{broken} bounds are broken." if broken else "All bounds hold.")
    return "\n".join(lines)
