"""`lab.export` to CSV against `DataFrame.to_csv` of the same frame."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.benchmarks.corpora import corpus
from tests.benchmarks.events import growth
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios, seconds
from webhooklab import Lab

WRITTEN = Target(3.0, 8.0)


@benchmark("csv")
def csv_export(run: Run) -> Iterator[Row]:
    medians = {}
    ours, theirs = run.folder / "ours.csv", run.folder / "theirs.csv"
    for size in run.sizes:
        with Lab(corpus(run, size)) as lab:
            events = lab.events
            writes = {
                "lab.export(csv, events)": partial(lab.export, ours, events),
                "lab.export(csv)": partial(lab.export, ours),
                "DataFrame.to_csv": partial(events.to_csv, theirs),
            }
            contenders = {name: partial(seconds, write) for name, write in writes.items()}
            figures = in_turns(contenders, run.rounds_at(size))
        run.keep({f"{name}, {size:,} rows": each for name, each in figures.items()}, "s")
        for name in ("lab.export(csv, events)", "lab.export(csv)"):
            owed = size >= 100_000 and "events" in name
            what = f"`{name}`, {size:,} rows, against `DataFrame.to_csv`"
            speed = ratios(figures["DataFrame.to_csv"], figures[name])
            yield Row(what, speed, WRITTEN if owed else NO_TARGET)
        medians[size] = {name: Row("", each).median for name, each in figures.items()}
    yield from growth(medians)
