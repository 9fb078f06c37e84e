"""When rows were seen: what a page notes of its inbox, frame by frame, and what follows from it.

A row counts as seen in the first frame whose table has it and all before it, as of the *next*
frame's beginning: then the frame with the row has been painted. So the delay is never too short,
and too long by one frame (17 ms) at most. Most rows of a burst are below the fold: of those the
table's own count (`aria-rowcount`) tells, and scrolling through the table afterwards.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.benchmarks.browser import HELD_ROWS

WATCH = """() => {
    const grid = document.querySelector('.whl-grid');
    const probe = (window.probe = { changes: [], frames: [] });
    const inSight = Math.floor(grid.clientHeight / 24) - 1;
    const look = () => {
        const seqs = [];
        for (const line of grid.querySelectorAll('.whl-rows .whl-line')) {
            if (line.style.display === 'none') continue;
            if (line.getAttribute('aria-rowindex') - 2 < inSight)
                seqs.push(Number(line.querySelector('.whl-c-seq').textContent));
        }
        return { rows: grid.getAttribute('aria-rowcount') - 1, seqs };
    };
    let last = '';
    // The inbox draws within a frame, and this runs right after it, before anything is painted.
    new MutationObserver(() => {
        const change = look();
        if (JSON.stringify(change) === last) return;
        last = JSON.stringify(change);
        probe.changes.push(change);
        requestAnimationFrame(() => (change.at = performance.now()));
    }).observe(grid, { subtree: true, childList: true, attributes: true, characterData: true });
    const next = (at) => { probe.frames.push(at); requestAnimationFrame(next); };
    requestAnimationFrame(next);
}"""
FORGET = "() => { probe.frames.length = 0; window.socketBytes = 0; }"
TAKE = """() => {
    // What is not painted yet stays for the next time, and nothing else does.
    const painted = probe.changes.filter((each) => each.at).length;
    return { changes: probe.changes.splice(0, painted), frames: probe.frames.splice(0) };
}"""
TELL = "() => ({ ...probe, bytes: window.socketBytes, now: performance.now() })"


@dataclass(frozen=True)
class Change:
    """The table as it was painted by `at` (s): how many rows it has, the seqs in sight."""

    at: float
    rows: int
    seqs: frozenset[int]

    @property
    def newest(self) -> int:
        return max(self.seqs, default=0)

    @property
    def whole(self) -> bool:
        """Whether no row is missing below the newest."""
        return self.rows >= min(self.newest, HELD_ROWS)


def changes(told: Mapping[str, Any]) -> list[Change]:
    """What the page noted, in order; the last change may not have been painted yet."""
    noted = [each for each in told["changes"] if "at" in each]
    return [Change(each["at"] / 1e3, each["rows"], frozenset(each["seqs"])) for each in noted]


def delays_ms(sent: Mapping[int, float], noted: Sequence[Change]) -> list[float]:
    """From sending to seeing, for those of the deliveries (by seq) that were seen."""
    whole = [change for change in noted if change.whole]
    newest = [change.newest for change in whole]
    places = {seq: bisect_left(newest, seq) for seq in sent}
    return [1e3 * (whole[at].at - sent[seq]) for seq, at in places.items() if at < len(whole)]


def in_sight(sent: Mapping[int, float], noted: Sequence[Change]) -> int:
    """How many of the deliveries were a line of their own, above the fold, for a frame or more."""
    return len(frozenset[int]().union(*(change.seqs for change in noted)) & sent.keys())


def frames_per_second(frames: Sequence[float]) -> float:
    """From the times of the page's frames, in ms."""
    return 1e3 * (len(frames) - 1) / (frames[-1] - frames[0])


def longest_gap_ms(frames: Sequence[float]) -> float:
    """The longest time without a frame."""
    return max(later - earlier for earlier, later in pairwise(frames))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed; infinite without any."""
    if not values:
        return math.inf
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
