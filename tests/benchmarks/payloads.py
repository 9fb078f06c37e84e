"""`lab.payloads` against reading the bodies, `json.loads` and `pd.json_normalize`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from tests.benchmarks.corpora import corpus
from tests.benchmarks.events import growth
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios, seconds
from webhooklab import Lab

FLATTENED = Target(3.0, 6.0)
LARGEST = 100_000
"""`pd.json_normalize` is slow, and linear: beyond so many rows only ours is measured."""


@benchmark("payloads")
def payloads(run: Run) -> Iterator[Row]:
    medians = {}
    for size in run.sizes:
        path = corpus(run, size)
        contenders = {"lab.payloads": partial(_ours, path)}
        if size <= LARGEST:
            contenders["json_normalize"] = partial(_theirs, path)
        figures = in_turns(contenders, min(run.rounds, 3))
        run.keep({f"{name}, {size:,} rows": each for name, each in figures.items()}, "s")
        if size <= LARGEST:
            what = f"`lab.payloads`, {size:,} rows, against `json.loads` + `pd.json_normalize`"
            target = FLATTENED if size == LARGEST else NO_TARGET
            yield Row(what, ratios(figures["json_normalize"], figures["lab.payloads"]), target)
        medians[size] = {name: Row("", each).median for name, each in figures.items()}
    yield from growth(medians)


def _ours(path: Path) -> float:
    with Lab(path) as lab:
        return seconds(lambda: lab.payloads)


def _theirs(path: Path) -> float:
    def read() -> pd.DataFrame:
        connection = sqlite3.connect(path)
        bodies = connection.execute("SELECT body FROM raws ORDER BY seq").fetchall()
        connection.close()
        return pd.json_normalize([json.loads(body) for (body,) in bodies])

    return seconds(read)
