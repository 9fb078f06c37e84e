"""Deliveries at a pace, from a process of its own: those of one interval, begun on the dot."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.processes import ROOT


@dataclass(frozen=True)
class Order:
    """`count` deliveries, number `first` and following of the samples, from `at` on (monotonic)."""

    first: int
    count: int
    per_second: float
    at: float

    @property
    def due(self) -> dict[int, float]:
        """When each number is to be sent, whatever the answers before it take."""
        return {self.first + n: self.at + n / self.per_second for n in range(self.count)}


class Sender:
    """A process that carries out an order. Start it well before."""

    def __init__(self, port: int, order: Order) -> None:
        self.order = order
        command = [sys.executable, "-m", "tests.benchmarks.paced", str(port)]
        command += ["--per-second", str(order.per_second), "--count", str(order.count)]
        command += ["--first", str(order.first), "--at", repr(order.at)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def said(self) -> tuple[dict[int, float], dict[int, float]]:
        """When each number was sent, and acknowledged; `RuntimeError` if one was not."""
        told, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("a sender has failed: what it says is above")
        said: dict[str, Any] = json.loads(told)
        if said["refused"]:
            raise RuntimeError(f"{said['refused']} deliveries were refused")
        sent, answered = (
            {self.order.first + n: at for n, at in enumerate(said[name])}
            for name in ("sent", "answered")
        )
        return sent, answered

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
