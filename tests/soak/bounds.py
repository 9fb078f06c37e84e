"""What the intervals say, held against what is allowed. Rules only: no I/O.

Other work on the machine makes an interval slower, never quicker, so of several intervals the
quieter ones tell how fast it is. What drifts is slower in these, too.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.benchmarks.sightings import percentile
from tests.soak.course import Interval

WARM_UP_ROWS = 24_000
"""Until a page that had rows without bodies has rows with bodies only, as many as it holds ..."""
WARM_UP_SHARE = 0.25
"""... and of a short soak no more than this."""
KERNEL_MB, KERNEL_BYTES_PER_ROW = 6.0, 100.0
"""100 MB for a million: what a kernel may take that has no frame. And what allocators do."""
THOUSAND_BLOCKS, BLOCKS_PER_ROW = 5.0, 0.1
"""Whatever is held for each row is more than a tenth of a block. And what is just under way."""
PAGE_MB = 6.0
"""Objects in the page, which holds as many rows as it may from the beginning."""
BUFFERS_MB = 72.0
"""64 MB of bodies in the page, and what is just under way."""
NODES_MORE = 500.0
THREADS_MORE, FILES_MORE, COMMS_MORE = 1.0, 2.0, 0.0
WORST_OF = 1_000
"""Of fewer deliveries the p99 is a handful that the machine was busy for: it tells nothing."""
SLOWER, QUIET, NOISE = 1.5, 0.25, 2.0
ANSWERED_MS, VISIBLE_MS = (5.0, 20.0), (20.0, 60.0)
"""So much later than 1.5 times an early interval's p50 and p99 a late one's may be, and by twice
what neighbours differ by: that is other work's doing, and no drift's."""


@dataclass(frozen=True)
class Finding:
    """A figure that may not be above its bound."""

    what: str
    figure: float
    bound: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.figure <= self.bound


def findings(
    intervals: Sequence[Interval], *, lost: int, errors: int, connections: int
) -> list[Finding]:
    """All that is bounded.

    `lost`: acknowledged and not in the file. `errors`: the page's. `connections`: of senders that
    have ended.
    """
    steady = _steady(intervals)
    unseen = sum(each.sent - each.seen for each in intervals)
    return [
        Finding("acknowledged deliveries that are not in the file", lost, 0.0),
        Finding("deliveries that never became visible", unseen, 0.0),
        Finding("errors in the page", errors, 0.0),
        Finding("connections of senders that have ended", connections, 0.0),
        *_memory(steady),
        *_leaks(steady),
        *_drifts(steady),
    ]


def _steady(intervals: Sequence[Interval]) -> Sequence[Interval]:
    """Those after the warm-up."""
    rows, left_out = 0, 0
    for each in intervals[: int(WARM_UP_SHARE * len(intervals))]:
        left_out += rows < WARM_UP_ROWS
        rows += each.sent
    return intervals[left_out:]


def _memory(steady: Sequence[Interval]) -> list[Finding]:
    kernel = _more(steady, lambda each: each.holding.kernel)
    blocks = _more(steady, lambda each: each.holding.blocks)
    rows = _rows_between(steady)
    objects = _more(steady, lambda each: each.holding.objects)
    buffers = max(each.holding.buffers for each in steady)
    return [
        Finding(
            "memory of the kernel, more",
            kernel,
            KERNEL_MB + KERNEL_BYTES_PER_ROW * rows / 2**20,
            "MB",
        ),
        Finding(
            "blocks in the kernel, more",
            blocks,
            THOUSAND_BLOCKS + BLOCKS_PER_ROW * rows / 1e3,
            "thousand",
        ),
        Finding("JavaScript objects in the page, more", objects, PAGE_MB, "MB"),
        Finding("buffers in the page, at most", buffers, BUFFERS_MB, "MB"),
    ]


def _leaks(steady: Sequence[Interval]) -> list[Finding]:
    return [
        Finding("nodes in the page, more", _more(steady, lambda e: e.holding.nodes), NODES_MORE),
        Finding("threads, more", _more(steady, lambda e: e.holding.threads), THREADS_MORE),
        Finding("open files, more", _more(steady, lambda e: e.holding.files), FILES_MORE),
        Finding("comms, more", _more(steady, lambda e: e.holding.comms), COMMS_MORE),
    ]


def _drifts(steady: Sequence[Interval]) -> list[Finding]:
    found = [
        _drift("answered, p50", steady, lambda each: each.answered.p50, ANSWERED_MS[0]),
        _drift("visible, p50", steady, lambda each: each.visible.p50, VISIBLE_MS[0]),
    ]
    if min(each.sent for each in steady) < WORST_OF:
        return found
    return [
        *found,
        _drift("answered, p99", steady, lambda each: each.answered.p99, ANSWERED_MS[1]),
        _drift("visible, p99", steady, lambda each: each.visible.p99, VISIBLE_MS[1]),
    ]


def _drift(
    what: str, steady: Sequence[Interval], figure: Callable[[Interval], float], slack: float
) -> Finding:
    figures = [figure(each) for each in steady]
    noise = statistics.median(abs(after - before) for before, after in pairwise(figures))
    early, late = (percentile([figure(each) for each in of], QUIET) for of in _ends(steady))
    allowed = SLOWER * early + slack + NOISE * noise
    return Finding(f"sent until {what}, in late intervals", late, allowed, "ms")


def _more(steady: Sequence[Interval], figure: Callable[[Interval], float]) -> float:
    early, late = (statistics.median(map(figure, of)) for of in _ends(steady))
    return late - early


def _rows_between(steady: Sequence[Interval]) -> float:
    """How many rows came between the middle of the early intervals and that of the late ones."""
    return sum(each.sent for each in steady) - sum(each.sent for each in _ends(steady)[0])


def _ends(steady: Sequence[Interval]) -> tuple[Sequence[Interval], Sequence[Interval]]:
    """The first third and the last."""
    size = max(1, len(steady) // 3)
    return steady[:size], steady[-size:]
