"""Capture into a file that holds many rows already, against one that holds few."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row


@benchmark("capture-growth")
def capture_growth(run: Run) -> Iterator[Row]:
    with running(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        (ours,) = contenders
        speeds = {size: _onto(run, ours, size) for size in sorted(run.sizes)}
    few = min(speeds)
    for size, speed in speeds.items():
        run.keep({f"capture, {size:,} rows": [speed]}, "requests/s")
        if size > few:
            yield Row(f"capture onto {size:,} rows, against onto {few:,}", [speed / speeds[few]])


def _onto(run: Run, ours: Contender, size: int) -> float:
    """Requests a second, after the file has been filled up to so many rows."""
    ours.ask(f"fill {max(0, size - ours.ask('count'))}")
    counts = ours.load("--seconds", str(run.seconds))
    return counts["answered"] / counts["seconds"]
