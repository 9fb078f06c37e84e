"""What is measured: rows of the table, with their targets, and the rounds they come from."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What is owed (`reach`) and what we want to be known for (`aim`); None where nothing is.

    `at_least`: whether more is better; else the figure must not be above the target.
    """

    reach: float | None = None
    aim: float | None = None
    at_least: bool = True
    unit: str = "x"

    def met_by(self, figure: float, limit: float) -> bool:
        return figure >= limit if self.at_least else figure <= limit

    def text(self, limit: float | None) -> str:
        if limit is None:
            return ""
        sign = ">=" if self.at_least else "<="
        return f"{sign} {limit:g}{self.unit}"


NO_TARGET = Target()


@dataclass(frozen=True)
class Row:
    """One line of the table: a figure of each round, held against its target."""

    what: str
    figures: Sequence[float]
    target: Target = NO_TARGET

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    @property
    def worst(self) -> float:
        return min(self.figures) if self.target.at_least else max(self.figures)

    @property
    def verdict(self) -> str:
        if self.target.reach is None:
            return ""
        if not self.target.met_by(self.median, self.target.reach):
            return "short"
        reached = self.target.aim is not None and self.target.met_by(self.median, self.target.aim)
        return "ok, aim reached" if reached else "ok"


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The figures of each contender, measured A B C, A B C, ... so that noise meets them all."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            figures[name].append(measure())
    return figures


def ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """One ratio a round."""
    return [this / that for this, that in zip(these, those, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes; what it returns is let go of afterwards."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    elapsed = time.perf_counter() - start
    del result
    return elapsed
