"""Capture while older deliveries are being dropped all the time, against capture alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, in_turns, ratios

KEPT = 1_000
DROPPED_PER_SECOND = 12_000
"""More than are dropped in a second, so that there is something to drop all the time."""


@benchmark("retention")
def retention(run: Run) -> Iterator[Row]:
    with running(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        (ours,) = contenders
        speeds = {"alone": partial(_speed, run, ours), "dropping": partial(_dropping, run, ours)}
        figures = run.keep(in_turns(speeds, run.rounds), "requests/s, while dropping or not")
    what = "capture while older deliveries are dropped, against capture alone"
    yield Row(what, ratios(figures["dropping"], figures["alone"]))


def _speed(run: Run, ours: Contender) -> float:
    counts = ours.load("--seconds", str(run.seconds))
    return counts["answered"] / counts["seconds"]


def _dropping(run: Run, ours: Contender) -> float:
    ours.ask(f"fill {round(DROPPED_PER_SECOND * (run.seconds + 1))}")
    ours.ask(f"keep {KEPT}")
    speed = _speed(run, ours)
    left = ours.ask("count")
    ours.ask("keep")
    if left <= KEPT * 2:
        run.note("retention had nothing left to drop before the load ended")
    return speed
