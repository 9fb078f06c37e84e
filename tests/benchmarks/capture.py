"""Requests captured a second, each committed before it is answered, against others.

Ours three times: in a plain process, without an inbox; and in kernels of JupyterLab, with the inbox
open in a browser on the same cores, and with none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tests.benchmarks.kernel_lab import CLOSED, OPEN, KernelLab, kernel_labs
from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios

OURS = "webhooklab"
TARGETS = {
    "tornado-application": Target(1.1, 1.4),
    "tornado-callback": Target(0.65, 0.9),
    "fastapi": Target(0.8, 1.2),
    "fastapi-standard": Target(0.8, 1.2),
    "flask": NO_TARGET,
    "aiohttp": NO_TARGET,
    "fasthook": Target(1.7, 2.5),
    "mitmproxy": Target(5.0, 2.5),
    "webhook-replay": Target(8.0, 2.5),
    "hookee": NO_TARGET,
    "pytest-httpserver": NO_TARGET,
}
PEERS = ("fastapi-standard", "fasthook", "mitmproxy", "hookee", "pytest-httpserver")
"""They bring or pin what our environment does without, so they may live in another one."""

Server = Contender | KernelLab

VARIANTS = {"signed": (), "plain JSON": ("--unsigned",)}


@benchmark("capture")
def capture(run: Run) -> Iterator[Row]:
    with (
        running(run, [OURS, *TARGETS, "ceiling"], PEERS) as contenders,
        kernel_labs(run, [OPEN, CLOSED]) as in_kernels,
    ):
        variants = list(VARIANTS.items())
        if run.quick:
            run.note("--quick leaves out the capture of plain JSON")
            del variants[1:]
        for variant, options in variants:
            yield from _compare(run, [*in_kernels, *contenders], variant, options)
        for ours in (*contenders[:1], *in_kernels):
            _check_nothing_lost(ours)


def _compare(
    run: Run, contenders: Sequence[Server], variant: str, options: tuple[str, ...]
) -> Iterator[Row]:
    speeds = {each.name: partial(_speed, run, each, options) for each in contenders}
    figures = in_turns(speeds, run.rounds)
    run.keep({f"{name} ({variant})": each for name, each in figures.items()}, "requests/s")
    for ours, what in ((OURS, "durable capture"), (OPEN, "durable capture, inbox open,")):
        for name, target in TARGETS.items():
            if ours in figures and name in figures:
                speed = ratios(figures[ours], figures[name])
                yield Row(f"{what} against {name} ({variant})", speed, target)
    if OPEN in figures and CLOSED in figures:
        what = f"durable capture in JupyterLab, inbox open against closed ({variant})"
        yield Row(what, ratios(figures[OPEN], figures[CLOSED]))
    if "ceiling" in figures:
        others = [figures[name] for name in figures if name != "ceiling"]
        fastest = [max(each) for each in zip(*others, strict=True)]
        what = f"what the sender could do, against the fastest above ({variant})"
        yield Row(what, ratios(figures["ceiling"], fastest))


def _speed(run: Run, contender: Server, options: tuple[str, ...]) -> float:
    counts = contender.load("--seconds", str(run.seconds), *options)
    contender.acknowledged += counts["acknowledged"]
    return counts["answered"] / counts["seconds"]


def _check_nothing_lost(ours: Server) -> None:
    stored = ours.ask("count")
    if stored != ours.acknowledged:
        raise AssertionError(f"{ours.acknowledged} acknowledged, {stored} stored")
