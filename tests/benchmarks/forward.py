"""What a forward costs the capture while its target is dead: against none at all."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.processes import load_on
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target, in_turns, ratios
from webhooklab import Lab

NONE, DEAD, HANGING = "no forward", "a forward to nobody", "a forward to one that hangs"
SCARCELY = Target(0.95)


@benchmark("forward")
def forward(run: Run) -> Iterator[Row]:
    with (
        Lab(Path(run.folder, "forward.db")) as lab,
        _bound() as dead,
        _bound() as hanging,
    ):
        hanging.listen(128)  # and nobody accepts
        targets = {NONE: None, DEAD: dead, HANGING: hanging}
        speeds = {name: partial(_speed, run, lab, target) for name, target in targets.items()}
        figures = run.keep(in_turns(speeds, run.rounds), "requests/s")
        for name in (DEAD, HANGING):
            what = f"durable capture with {name}, against {NONE}"
            yield Row(what, ratios(figures[name], figures[NONE]), SCARCELY)


@contextlib.contextmanager
def _bound() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        yield made


def _speed(run: Run, lab: Lab, target: socket.socket | None) -> float:
    if target is None:
        return _load(run, lab)
    forward = lab.forward(f"http://127.0.0.1:{target.getsockname()[1]}/hooks")
    try:
        return _load(run, lab)
    finally:
        forward.stop(forget=True)


def _load(run: Run, lab: Lab) -> float:
    port = urlsplit(lab.url).port
    assert port is not None
    counts = load_on(lab.url, port, "--seconds", str(run.seconds))
    return float(counts["answered"] / counts["seconds"])
