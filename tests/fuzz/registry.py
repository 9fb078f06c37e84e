"""What a target is, and how it is run."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis.strategies import SearchStrategy

TARGETS: dict[str, Target] = {}
_ROUND = 100
"""How many examples are run before a look at the clock."""


@dataclass(frozen=True)
class Target:
    """`check` is called with what `inputs` gives, and with what `stage` has set up for all of it.

    `bounded`: how many examples are enough where the time is short.
    """

    check: Callable[..., object]
    inputs: SearchStrategy[Any]
    stage: Callable[[], AbstractContextManager[Any]] | None
    bounded: int

    def run(self) -> int:
        """The bounded part, the same each time. Returns how many examples were tried."""
        with self.staged() as staged:
            return self._round(staged, self.bounded, None)

    def search(self, seconds: float, start: int | None = None) -> tuple[int, float]:
        """Look for as long as that, from a seed on. Returns how many examples, in what time."""
        number = secrets.randbelow(2**32) if start is None else start
        tried = 0
        with self.staged() as staged:
            begun = time.monotonic()
            while time.monotonic() < begun + seconds:
                try:
                    tried += self._round(staged, _ROUND, number)
                except BaseException as error:
                    error.add_note(f"--seed {number}")
                    raise
                number += 1
            return tried, time.monotonic() - begun

    @contextlib.contextmanager
    def staged(self) -> Iterator[tuple[Any, ...]]:
        if self.stage is None:
            yield ()
            return
        with self.stage() as staged:
            yield (staged,)

    def _round(self, staged: tuple[Any, ...], examples: int, number: int | None) -> int:
        tried = 0

        def execute(example: Any) -> None:
            nonlocal tried
            tried += 1
            self.check(example, *staged)

        test = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=number is None,
            suppress_health_check=list(HealthCheck),
        )(given(self.inputs)(execute))
        (test if number is None else seed(number)(test))()
        return tried


def target(
    inputs: SearchStrategy[Any],
    *,
    stage: Callable[[], AbstractContextManager[Any]] | None = None,
    bounded: int = 300,
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function as a target, by its name."""

    def register(check: Callable[..., object]) -> Callable[..., object]:
        TARGETS[check.__name__] = Target(check, inputs, stage, bounded)
        return check

    return register
