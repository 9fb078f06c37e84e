"""What checking its signature adds to a captured delivery: processor time of the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import psutil

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target, in_turns, ratios

ADDED = Target(1.1, 1.05, at_least=False)
SECRET = "whsec_" + "A" * 32


@benchmark("verifying")
def verifying(run: Run) -> Iterator[Row]:
    with running(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        count = 1_000 if run.quick else 10_000
        work = {
            f"check {word}": partial(_cost, contenders[0], word, count) for word in ("on", "off")
        }
        _cost(contenders[0], "on", count)  # the first ones pay for what is loaded then
        figures = run.keep(in_turns(work, run.rounds), "processor us a signed delivery")
        held = contenders[0].ask("verdicts")
    if held != {"valid": (run.rounds + 1) * count, "unchecked": run.rounds * count}:
        raise AssertionError(f"not what was measured: {held}")
    what = "processor time of a captured delivery, signature verified against not (1 KB)"
    yield Row(what, ratios(figures["check on"], figures["check off"]), ADDED)


def _cost(ours: Contender, word: str, count: int) -> float:
    ours.ask(f"check {SECRET}" if word == "on" else "check")
    before = _spent(ours)
    ours.load("--limit", str(count), "--secret", SECRET)
    return (_spent(ours) - before) / count * 1e6


def _spent(ours: Contender) -> float:
    times = psutil.Process(ours.pid).cpu_times()
    return times.user + times.system
