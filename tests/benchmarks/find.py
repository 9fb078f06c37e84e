"""`lab.find` without bodies, against reading all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.corpora import corpus
from tests.benchmarks.events import cold_look, growth
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios, seconds
from webhooklab import Lab

FOUND = Target(0.2, 0.05, at_least=False)
LOOKS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "lab.find(one type, not one path)": (("type:order.shipped -path:/test",), {}),
    "lab.find(one entity)": (("entity:ord_0000000042",), {}),
    "lab.find(last=100)": ((), {"last": 100}),
    "lab.find(): every row": ((), {}),
}
OWED = next(iter(LOOKS))


@benchmark("find")
def find(run: Run) -> Iterator[Row]:
    medians = {}
    for size in run.sizes:
        path = corpus(run, size)
        looks = {name: partial(_look, path, *asked) for name, asked in LOOKS.items()}
        all_of_it = {"reading all": partial(cold_look, path)}
        figures = in_turns(all_of_it | looks, run.rounds_at(size))
        run.keep({f"{name}, {size:,} rows": each for name, each in figures.items()}, "s")
        for name in LOOKS:
            target = FOUND if name == OWED and size >= 1_000_000 else NO_TARGET
            what = f"`{name}`, {size:,} rows, against reading all"
            yield Row(what, ratios(figures[name], figures["reading all"]), target)
        medians[size] = {name: Row("", each).median for name, each in figures.items()}
    yield from growth(medians)


def _look(path: Path, where: tuple[str, ...], options: dict[str, Any]) -> float:
    with Lab(path) as lab:
        return seconds(lambda: lab.find(*where, **options))
