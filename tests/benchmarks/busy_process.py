"""The same as `busy`, listening in a process of its own; and how soon the kernel sees a row.

Held against the kernel being idle in the same run, and idle against a listener in its thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios

THREAD, PROCESS = "webhooklab", "webhooklab-process"
CELLS = {
    "computing": Target(0.8, 1.0),
    "holding": Target(0.8, 1.0),
}
WORDS = {"computing": "computing", "holding": "in C calls that hold the GIL"}
MILLISECONDS = Target(at_least=False, unit=" ms")
LOOKS = {"wait": "`lab.wait` returns", "feed": "the inbox's feed sends it"}
LATENCY_COUNT = 40


@benchmark("busy-process")
def busy_process(run: Run) -> Iterator[Row]:
    with running(run, [THREAD, PROCESS]) as contenders:
        if len(contenders) < 2:
            run.note("busy-process needs both listeners: leave --against out")
            return
        thread, process = contenders
        speeds = {
            THREAD: partial(_speed, run, thread, "idle"),
            **{cell: partial(_speed, run, process, cell) for cell in ("idle", *CELLS)},
        }
        figures = run.keep(in_turns(speeds, run.rounds), "requests/s, listener in its process")
        yield from _seen(run, thread, process)
    what = "capture, listener in its process, against in a thread, kernel idle"
    yield Row(what, ratios(figures["idle"], figures[THREAD]), NO_TARGET)
    for cell, target in CELLS.items():
        what = f"capture, listener in its process, kernel {WORDS[cell]}, against idle"
        yield Row(what, ratios(figures[cell], figures["idle"]), target)


def _speed(run: Run, ours: Contender, cell: str) -> float:
    ours.ask(f"cell {cell}")
    counts = ours.load("--seconds", str(run.seconds))
    ours.ask("cell idle")
    return counts["answered"] / counts["seconds"]


def _seen(run: Run, thread: Contender, process: Contender) -> Iterator[Row]:
    count = 5 if run.quick else LATENCY_COUNT
    for where, ours in (("thread", thread), ("process", process)):
        for look, what in LOOKS.items():
            delays = ours.ask(f"latency_{look} {count}")
            yield Row(f"from commit until {what}, listener in a {where}", delays, MILLISECONDS)
