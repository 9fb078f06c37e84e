"""A kernel's memory after captures, the frame not asked for."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target

KEPT = Target(100.0, 30.0, at_least=False, unit=" MB")


@benchmark("memory")
def memory(run: Run) -> Iterator[Row]:
    over_http, in_all = (20_000, 50_000) if run.quick else (200_000, max(*run.sizes, 200_000))
    with running(run, ["webhooklab"]) as contenders:
        if not contenders:
            return
        kernel = contenders[0]
        kernel.load("--limit", "200")
        start = _megabytes(kernel)
        kernel.load("--limit", str(over_http))
        what = f"kernel memory above the start, {over_http:,} captures over HTTP"
        yield Row(what, [_megabytes(kernel) - start], KEPT)
        kernel.ask(f"fill {in_all - over_http}")
        what = f"the same, {in_all:,} captures (the rest through the store)"
        yield Row(what, [_megabytes(kernel) - start], KEPT)


def _megabytes(kernel: Contender) -> float:
    return psutil.Process(kernel.pid).memory_info().rss / 2**20
