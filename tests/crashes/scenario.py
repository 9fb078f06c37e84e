"""What a scenario is: something that captures, how it is killed, and where deliveries arrive."""

from __future__ import annotations

import contextlib
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from tests.crashes.arrived import CaptureFile, Place

SCENARIOS: dict[str, type[Scenario]] = {}
AGAIN = 0.3
"""In so many rounds what is starting again is killed once more, before it is up."""


class Scenario(ABC):
    """`with` starts it and ends it; `folder` is its own.

    `unnoticed`: no sender may notice that anything is killed. `pause`: seconds at most between two
    deliveries of a sender, so that what takes them further keeps up.
    """

    name: ClassVar[str]
    unnoticed: ClassVar[bool] = False
    pause: ClassVar[float] = 0.01

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "captures.db"
        self.kills = 0
        self.closing = contextlib.ExitStack()

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "name"):
            SCENARIOS[cls.name] = cls

    @abstractmethod
    def start(self) -> str:
        """Start it; returns the URL that is sent to, which must stay the same."""

    @abstractmethod
    def crash(self, chance: random.Random) -> None:
        """Kill it with SIGKILL, at once; returns when it has been started again."""

    def places(self) -> Sequence[Place]:
        """Where everything acknowledged must be."""
        return [CaptureFile(self.file)]

    def meanwhile(self) -> None:
        """What else goes on in each round, before the kill: nothing, unless a scenario says so."""
        return

    def __enter__(self) -> Self:
        with self.closing:
            self.url = self.start()
            self.closing = self.closing.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.close()


def pause(chance: random.Random, most: float) -> None:
    """A random moment, of at most so many seconds."""
    time.sleep(chance.uniform(0, most))
