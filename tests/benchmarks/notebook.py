"""A process such as a notebook's: a Lab, and a main thread that runs cells."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.corpora import fill
from webhooklab import Lab

DEFAULT_SWITCH_INTERVAL_SECONDS = 0.005


class Notebook:
    """Runs the cell that it is told to, over and over, on the main thread."""

    def __init__(self, path: Path) -> None:
        self._lab = Lab(path)
        self.port = int(self._lab.url.rsplit(":", 1)[1].rstrip("/"))
        self._short_interval = sys.getswitchinterval()
        self._changed = threading.Event()
        self._cell: Callable[[], object] = self._idle

    def run_cells(self) -> None:
        while True:
            self._cell()

    def obey(self, line: str) -> object:
        """One command: its name, and perhaps a value."""
        name, _, value = line.partition(" ")
        return getattr(self, f"command_{name}")(value)

    def command_cell(self, kind: str) -> None:
        """Run cells of a kind: idle, sleeping, computing."""
        self._cell = getattr(self, f"_{kind}")
        self._changed.set()

    def command_interval(self, kind: str) -> None:
        """Take turns as often as a Lab asks for ("short"), or as Python does ("default")."""
        short = kind == "short"
        sys.setswitchinterval(self._short_interval if short else DEFAULT_SWITCH_INTERVAL_SECONDS)

    def command_count(self, value: str) -> int:
        return len(self._lab)

    def command_fill(self, count: str) -> None:
        """Store so many more deliveries, past HTTP."""
        fill(self._lab._parts.store, self._lab.head, int(count))

    def _idle(self) -> None:
        self._changed.wait()
        self._changed.clear()

    def _sleeping(self) -> None:
        time.sleep(0.05)

    def _computing(self) -> None:
        total = 0
        for number in range(200_000):
            total += number * number % 7
