"""`compare` (verdicts, flags and lags) against one `pd.merge_asof` of the same frames."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from tests.benchmarks.peak import peak_megabytes
from tests.benchmarks.processes import ROOT
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target, in_turns, ratios, seconds
from tests.benchmarks.world import KINDS, World, world
from webhooklab import compare

COMPARED = Target(5.0, 3.0, at_least=False)
FASTER_IS_LESS = Target(at_least=False)
OWED_FROM = 1_000_000
PER_ROW = Target(2.0, 1.5, at_least=False)
"""Near-linear: so much longer each of a hundred times the rows may take (sorting: 1.5)."""


@benchmark("compare")
def comparing(run: Run) -> Iterator[Row]:
    for kind in KINDS:
        medians: dict[int, float] = {}
        for size in sorted(run.sizes):
            works = _works(world(size, kind))
            timers = {name: partial(seconds, work) for name, work in works.items()}
            figures = in_turns(timers, run.rounds_at(size))
            name = f"{size:,} events and snapshots, versions are {kind}"
            run.keep({f"{each}, {name}": figures[each] for each in figures}, "s")
            speed = ratios(figures["compare"], figures["merge_asof"])
            target = COMPARED if size >= OWED_FROM else FASTER_IS_LESS
            yield Row(f"`compare`, {name}, against one `pd.merge_asof`", speed, target)
            medians[size] = Row("", figures["compare"]).median / size
        yield from _growth(medians, kind)
    yield from _memory(run, max(run.sizes))


def _works(given: World) -> dict[str, Callable[[], pd.DataFrame]]:
    return {"compare": partial(_ours, given), "merge_asof": partial(_theirs, given)}


def _ours(given: World) -> pd.DataFrame:
    compared = compare(given.events, given.snapshots, polls=given.polls, listening=given.listening)
    changes = compared.changes
    found = int((changes["verdict"] == "both").sum())
    if found != given.both:
        raise AssertionError(f"{given.both:,} changes were pushed and polled, {found:,} found")
    return changes


def _theirs(given: World) -> pd.DataFrame:
    return pd.merge_asof(
        given.events,
        given.snapshots,
        left_on="received_at",
        right_on="polled_at",
        by="entity_id",
        direction="forward",
    )


def _growth(medians: dict[int, float], kind: str) -> Iterator[Row]:
    most = max(medians)
    for less in list(medians)[:-1]:
        what = f"`compare`, versions are {kind}: time per row, {most:,} against {less:,} rows"
        target = PER_ROW if most >= OWED_FROM else FASTER_IS_LESS
        yield Row(what, [medians[most] / medians[less]], target)


def _memory(run: Run, size: int) -> Iterator[Row]:
    """Each in a process of its own, which has no memory to use again."""
    figures = {name: [_peak(name, size)] for name in ("compare", "merge_asof")}
    name = f"{size:,} events and snapshots: memory at most, above the frames"
    run.keep({f"{each}, {name}": figures[each] for each in figures}, "MB")
    yield Row(
        f"`compare`, {name}, against `pd.merge_asof`", ratios(*figures.values()), FASTER_IS_LESS
    )


def _peak(name: str, size: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.compare", name, str(size)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return float(json.loads(done.stdout))


if __name__ == "__main__":
    asked, rows = sys.argv[1], int(sys.argv[2])
    print(peak_megabytes(_works(world(rows))[asked]))
