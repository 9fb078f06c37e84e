"""The benchmarks by name, and what one run is asked to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.rows import Row


@dataclass
class Run:
    """What is asked for, and what is noted on the way.

    `folder` is a temporary one on a real disk. `against` names the only contenders wanted (none:
    all). `peers_python` runs those that cannot live in our environment. `seconds` is how long one
    load lasts. `desk` is the browser, once one is open (`browser.desk`); what benchmarks share is
    closed with `closing`.
    """

    folder: Path
    sizes: Sequence[int]
    quick: bool = False
    against: Sequence[str] = ()
    peers_python: str = sys.executable
    seconds: float = 3.0
    rounds: int = 5
    notes: list[str] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    desk: Any = None
    closing: ExitStack = field(default_factory=ExitStack)

    def note(self, text: str) -> None:
        """Say something below the table, once."""
        if text not in self.notes:
            self.notes.append(text)

    def keep(self, figures: dict[str, list[float]], unit: str) -> dict[str, list[float]]:
        """Keep absolute figures for the second table; returns them."""
        self.figures |= {f"{name}, {unit}": values for name, values in figures.items()}
        return figures

    def rounds_at(self, size: int) -> int:
        """How often work on so many rows is measured."""
        return min(self.rounds, 3) if size > 200_000 else self.rounds


Benchmark = Callable[[Run], Iterator[Row]]
BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark under the name that `--only` takes."""

    def register(function: Benchmark) -> Benchmark:
        BENCHMARKS[name] = function
        return function

    return register
