"""`lab.events`: the first look, and the next one after 100 new rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pandas as pd

from tests.benchmarks.corpora import corpus, fill
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios, seconds
from webhooklab import Lab
from webhooklab.records import EVENT_COLUMNS

COLD, WARM = Target(1.0, 2.0), Target(5.0, 10.0)
NEW_ROWS = 100


@benchmark("events")
def events(run: Run) -> Iterator[Row]:
    medians: dict[int, dict[str, float]] = {}
    for size in run.sizes:
        path, rounds = corpus(run, size), run.rounds_at(size)
        path.read_bytes()  # both find the file in the system's cache
        figures = _cold(path, rounds) | _warm(path, rounds)
        run.keep({f"{name}, {size:,} rows": each for name, each in figures.items()}, "s")
        owed = size >= 1_000_000
        cold = ratios(figures["sqlite3 + DataFrame"], figures["lab.events, cold"])
        yield Row(
            f"`lab.events`, cold, {size:,} rows, against `sqlite3` + `DataFrame`",
            cold,
            COLD if size >= 100_000 else NO_TARGET,
        )
        warm = ratios(figures["pd.concat"], figures[f"lab.events, {NEW_ROWS} new rows"])
        what = f"`lab.events` after {NEW_ROWS} new rows on {size:,}, against `pd.concat`"
        yield Row(what, warm, WARM if owed else NO_TARGET)
        medians[size] = {name: Row("", each).median for name, each in figures.items()}
    yield from growth(medians)


def growth(medians: dict[int, dict[str, float]]) -> Iterator[Row]:
    """How much longer ours take on so many times the rows."""
    sizes = list(medians)
    for less, more in pairwise(sizes):
        for name in medians[more]:
            if name.startswith("lab.") and name in medians[less]:
                what = f"`{name}`: time, {less:,} to {more:,} rows ({more / less:g}x)"
                yield Row(what, [medians[more][name] / medians[less][name]])


def _cold(path: Path, rounds: int) -> dict[str, list[float]]:
    looks = {"sqlite3 + DataFrame": _read_by_hand, "lab.events, cold": cold_look}
    return in_turns({name: partial(look, path) for name, look in looks.items()}, rounds)


def _warm(path: Path, rounds: int) -> dict[str, list[float]]:
    theirs, ours = [], []
    with Lab(path) as lab:
        for _ in range(rounds):
            before = lab.events
            fill(lab._parts.store, lab.head, NEW_ROWS)
            new = lab[-NEW_ROWS:]
            theirs.append(seconds(partial(pd.concat, [before, new])))
            ours.append(seconds(lambda: lab.events))
            assert len(lab.events) == len(before) + NEW_ROWS
        lab.delete(lab.find(last=NEW_ROWS * rounds).index)
    return {"pd.concat": theirs, f"lab.events, {NEW_ROWS} new rows": ours}


def cold_look(path: Path) -> float:
    with Lab(path) as lab:
        return seconds(lambda: lab.events)


def _read_by_hand(path: Path) -> float:
    names = ["seq", *EVENT_COLUMNS]
    query = f"SELECT {', '.join(names)} FROM deliveries JOIN raws USING (seq) ORDER BY seq"

    def read() -> pd.DataFrame:
        connection = sqlite3.connect(path)
        frame = pd.DataFrame(connection.execute(query).fetchall(), columns=names)
        connection.close()
        return frame.set_index("seq")

    return seconds(read)
