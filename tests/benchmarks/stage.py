"""An inbox in a page, deliveries sent to it at a pace, and what was seen of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.browser import (
    Desk,
    clock_ahead,
    processor_seconds,
    wait_until_held,
    wait_until_listening,
)
from tests.benchmarks.processes import ROOT
from tests.benchmarks.sightings import (
    FORGET,
    TELL,
    WATCH,
    changes,
    delays_ms,
    frames_per_second,
    in_sight,
    longest_gap_ms,
)
from webhooklab import read

PATIENCE_SECONDS = 15.0
IDLE_MS, LAST_FRAME_MS = 1_000, 200
FIRST_CELL = """
import os
from tests.benchmarks.corpora import fill
from webhooklab import Lab
lab = Lab(None)
"""
OPEN_CELL = """
lab.close()
lab = Lab({path!r})
fill(lab._parts.store, 0, {filled})
print(os.getpid(), lab.url)
"""


@dataclass(frozen=True)
class Scene:
    """So many deliveries a second, onto an inbox with `filled` rows.

    `spells`: for so many times as long as a run's loads last.
    """

    per_second: int
    spells: float
    filled: int = 0

    @property
    def name(self) -> str:
        onto = f", onto {self.filled:,} rows" if self.filled else ""
        return f"{self.per_second:,} deliveries/s{onto}"


@dataclass(frozen=True)
class Watched:
    """What was seen of `sent` deliveries in `seconds`, and the processor time that it took.

    `idle` and `frames`: frames per second before and meanwhile. `exact`: to how many seconds the
    page's clock and the sender's agree.
    """

    sent: int
    delays_ms: list[float]
    answered_ms: list[float]
    in_sight: int
    held: int
    idle: float
    frames: float
    longest_gap_ms: float
    socket_bytes: float
    body_bytes: float
    kernel_seconds: float
    page_seconds: float
    seconds: float
    exact: float


class Stage:
    """A notebook with a Lab for each scene, played one after the other. `setup`: Python, first."""

    def __init__(self, found: Desk, folder: Path, scenes: Sequence[Scene], setup: str = "") -> None:
        folder.mkdir()
        self._paths = [folder / f"{number}.db" for number in range(len(scenes))]
        opens = [
            OPEN_CELL.format(path=str(path), filled=scene.filled)
            for path, scene in zip(self._paths, scenes, strict=True)
        ]
        self._found = found
        self._scenes = scenes
        self._notebook = found.open(FIRST_CELL + setup, *chain(*((cell, "lab") for cell in opens)))
        self._notebook.run(0)

    def play(self, number: int, seconds: float) -> Watched:
        """One scene."""
        scene, notebook = self._scenes[number], self._notebook
        pid, url = notebook.run(2 * number + 1, 120).split()[-2:]
        notebook.run(2 * number + 2)
        wait_until_listening(notebook.page)
        wait_until_held(notebook.page, scene.filled)
        idle = self._watch()
        count = max(2, round(scene.per_second * scene.spells * seconds))
        used = self._used(int(pid))
        said = _send(url, scene.per_second, count)
        wait_until_held(notebook.page, scene.filled + count, PATIENCE_SECONDS)
        notebook.page.wait_for_timeout(LAST_FRAME_MS)
        spent = [now - then for now, then in zip(self._used(int(pid)), used, strict=True)]
        seen = self._seen(self._paths[number], said, idle, spent)
        notebook.command("notebook:clear-all-cell-outputs")
        return seen

    def _used(self, pid: int) -> tuple[float, float]:
        return processor_seconds(psutil.Process(pid)), self._found.renderer_seconds()

    def _watch(self) -> float:
        """Begin to note what the page shows; returns its frames per second, with nothing to do."""
        page = self._notebook.page
        page.evaluate(WATCH)
        page.wait_for_timeout(IDLE_MS)
        idle = frames_per_second(page.evaluate("() => probe.frames"))
        page.evaluate(FORGET)
        return idle

    def _seen(
        self, path: Path, said: dict[str, list[float]], idle: float, spent: Sequence[float]
    ) -> Watched:
        told: dict[str, Any] = self._notebook.page.evaluate(TELL)
        ahead, exact = clock_ahead(self._notebook.page)
        sent, noted = said["sent"], changes(told)
        events = read(path).tail(len(sent))
        numbers = events["event_id"].str.removeprefix("msg_").astype(int)
        begun = {int(seq): sent[number] + ahead for seq, number in numbers.items()}
        first = min(begun.values())
        frames = [at for at in told["frames"] if at >= 1e3 * first]
        return Watched(
            sent=len(sent),
            delays_ms=delays_ms(begun, noted),
            answered_ms=[1e3 * (b - a) for a, b in zip(sent, said["answered"], strict=True)],
            in_sight=in_sight(begun, noted),
            held=len(begun.keys() & set(self._notebook.held_seqs())),
            idle=idle,
            frames=frames_per_second(frames),
            longest_gap_ms=longest_gap_ms(frames),
            socket_bytes=told["bytes"],
            body_bytes=float(events["body_bytes"].sum()),
            kernel_seconds=spent[0],
            page_seconds=spent[1],
            seconds=told["now"] / 1e3 - first,
            exact=exact,
        )


def _send(url: str, per_second: int, count: int) -> dict[str, list[float]]:
    """Send from another process; when each delivery was sent, and when it was answered."""
    command = [sys.executable, "-m", "tests.benchmarks.paced", url.rsplit(":", 1)[1].strip("/")]
    command += ["--per-second", str(per_second), "--count", str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    if said["refused"]:
        raise RuntimeError(f"{said['refused']} deliveries were refused")
    return said
