"""Requests captured a second while the notebook's main thread is busy, against idle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios

IDLE = ("idle", "short")
SITUATIONS = {
    IDLE: NO_TARGET,
    ("sleeping", "short"): NO_TARGET,
    ("computing", "short"): Target(0.15, 0.25),
    ("holding", "short"): NO_TARGET,
    ("idle", "default"): NO_TARGET,
    ("computing", "default"): NO_TARGET,
}


@benchmark("busy")
def busy(run: Run) -> Iterator[Row]:
    with running(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        speeds = {_name(each): partial(_speed, run, contenders[0], *each) for each in SITUATIONS}
        figures = run.keep(in_turns(speeds, run.rounds), "requests/s")
    for situation, target in SITUATIONS.items():
        if situation != IDLE:
            name = _name(situation)
            what = f"capture, {name}, against idle"
            yield Row(what, ratios(figures[name], figures[_name(IDLE)]), target)


def _name(situation: tuple[str, str]) -> str:
    cell, interval = situation
    return f"kernel {cell}" + (", Python's switch interval" if interval == "default" else "")


def _speed(run: Run, ours: Contender, cell: str, interval: str) -> float:
    ours.ask(f"interval {interval}")
    ours.ask(f"cell {cell}")
    counts = ours.load("--seconds", str(run.seconds))
    ours.ask("cell idle")
    return counts["answered"] / counts["seconds"]
