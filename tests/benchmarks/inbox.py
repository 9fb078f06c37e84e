"""From a delivery's sending until its row is painted in the browser, and what that takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from tests.benchmarks.browser import (
    HELD_ROWS,
    Desk,
    clock_ahead,
    desk,
    wait_until_held,
    wait_until_listening,
)
from tests.benchmarks.processes import ROOT
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target
from tests.benchmarks.sightings import (
    FORGET,
    TELL,
    WATCH,
    changes,
    delays_ms,
    frames_per_second,
    in_sight,
    longest_gap_ms,
    percentile,
)
from tests.jupyter.lab_page import NotebookPage
from webhooklab import read

VISIBLE = Target(200.0, 100.0, at_least=False, unit=" ms")
MILLISECONDS = Target(at_least=False, unit=" ms")
LESS_IS_BETTER = Target(at_least=False)
SMOOTH = Target(0.95, 0.99)
ALL_OF_THEM = Target(1.0, 1.0)
PATIENCE_SECONDS = 15.0
IDLE_MS, LAST_FRAME_MS = 1_000, 200

FIRST_CELL = (
    "from tests.benchmarks.corpora import fill\nfrom webhooklab import Lab\nlab = Lab(None)"
)
OPEN_CELL = """
lab.close()
lab = Lab({path!r})
fill(lab._parts.store, 0, {filled})
print(lab.url)
"""


@dataclass(frozen=True)
class Scene:
    """So many deliveries a second, onto an inbox that holds `filled` rows. `spells`: how long."""

    per_second: int
    spells: float
    filled: int = 0
    target: Target = VISIBLE

    @property
    def count(self) -> float:
        """Deliveries per second of a run's `--seconds`."""
        return self.per_second * self.spells

    @property
    def name(self) -> str:
        onto = f", onto {self.filled:,} rows" if self.filled else ""
        return f"{self.per_second:,} deliveries/s{onto}"


SCENES = (
    Scene(1, 7, target=MILLISECONDS),
    Scene(100, 3),
    Scene(1_000, 3),
    Scene(1_000, 3, HELD_ROWS),
)


@dataclass(frozen=True)
class Watched:
    """What was seen of `sent` deliveries, in `seconds`. `exact`: the clocks' agreement, in s."""

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
    seconds: float
    exact: float


@benchmark("inbox")
def inbox(run: Run) -> Iterator[Row]:
    scenes = SCENES[:-1] if run.quick else SCENES
    watched: dict[Scene, list[Watched]] = {scene: [] for scene in scenes}
    with tempfile.TemporaryDirectory(dir=run.folder) as folder, desk(run) as found:
        if found is None:
            return
        for number in range(min(run.rounds, 3)):
            for scene, seen in watch(found, Path(folder, str(number)), scenes, run.seconds):
                watched[scene].append(seen)
    for scene, each in watched.items():
        yield from _rows(scene, each)
        _keep(run, scene, each)


def watch(
    found: Desk, folder: Path, scenes: Sequence[Scene], seconds: float, setup: str = ""
) -> Iterator[tuple[Scene, Watched]]:
    """Send to an open inbox at a pace, scene by scene. `setup`: Python to be run before."""
    folder.mkdir()
    paths = {scene: folder / f"{number}.db" for number, scene in enumerate(scenes)}
    opens = [OPEN_CELL.format(path=str(paths[scene]), filled=scene.filled) for scene in scenes]
    notebook = found.open(FIRST_CELL + setup, *chain(*((cell, "lab") for cell in opens)))
    notebook.run(0)
    for cell, scene in enumerate(scenes):
        url = notebook.run(2 * cell + 1, 120).split()[-1]
        notebook.run(2 * cell + 2)
        wait_until_listening(notebook.page)
        wait_until_held(notebook.page, scene.filled)
        told, idle, said = _send(notebook, url, scene, max(2, round(scene.count * seconds)))
        yield scene, _seen(notebook, read(paths[scene]), told, idle, said)
        notebook.command("notebook:clear-all-cell-outputs")
    notebook.page.close()


def _send(
    notebook: NotebookPage, url: str, scene: Scene, count: int
) -> tuple[dict[str, Any], float, dict[str, Any]]:
    """What the page noted meanwhile, its frames a second before that, and when each was sent."""
    page = notebook.page
    page.evaluate(WATCH)
    page.wait_for_timeout(IDLE_MS)
    idle = frames_per_second(page.evaluate("() => probe.frames"))
    page.evaluate(FORGET)
    command = [sys.executable, "-m", "tests.benchmarks.paced", url.rsplit(":", 1)[1].strip("/")]
    command += ["--per-second", str(scene.per_second), "--count", str(count)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    wait_until_held(page, scene.filled + count, PATIENCE_SECONDS)
    page.wait_for_timeout(LAST_FRAME_MS)
    said = json.loads(done.stdout)
    if said["refused"]:
        raise RuntimeError(f"{said['refused']} deliveries were refused")
    return page.evaluate(TELL), idle, said


def _seen(
    notebook: NotebookPage,
    events: pd.DataFrame,
    told: dict[str, Any],
    idle: float,
    said: dict[str, Any],
) -> Watched:
    ahead, exact = clock_ahead(notebook.page)
    sent, answered = said["sent"], said["answered"]
    events = events.tail(len(sent))
    numbers = events["event_id"].str.removeprefix("msg_").astype(int)
    begun = {int(seq): sent[number] + ahead for seq, number in numbers.items()}
    during = [at for at in told["frames"] if at >= 1e3 * min(begun.values())]
    noted = changes(told)
    return Watched(
        sent=len(sent),
        delays_ms=delays_ms(begun, noted),
        answered_ms=[1e3 * (after - before) for before, after in zip(sent, answered, strict=True)],
        in_sight=in_sight(begun, noted),
        held=len(begun.keys() & set(notebook.held_seqs())),
        idle=idle,
        frames=frames_per_second(during),
        longest_gap_ms=longest_gap_ms(during),
        socket_bytes=told["bytes"],
        body_bytes=float(events["body_bytes"].sum()),
        seconds=told["now"] / 1e3 - min(begun.values()),
        exact=exact,
    )


def _rows(scene: Scene, watched: list[Watched]) -> Iterator[Row]:
    what = f"inbox, {scene.name}"
    for share in (0.5, 0.99):
        delays = [percentile(each.delays_ms, share) for each in watched]
        target = scene.target if share > 0.9 else MILLISECONDS
        yield Row(f"{what}: sent to visible, p{share * 100:.0f}", delays, target)
    seen = [min(len(each.delays_ms), each.held) / each.sent for each in watched]
    yield Row(f"{what}: share of them shown", seen, ALL_OF_THEM)
    frames = [each.frames / each.idle for each in watched]
    yield Row(f"{what}: frames per second, against the idle page", frames, SMOOTH)
    bytes_ = [each.socket_bytes / each.body_bytes for each in watched]
    yield Row(f"{what}: bytes over the websocket, against bytes captured", bytes_, LESS_IS_BETTER)


def _keep(run: Run, scene: Scene, watched: list[Watched]) -> None:
    name = f"inbox, {scene.name}"
    run.keep({name: [each.frames for each in watched]}, "frames/s")
    run.keep({f"{name}, longest without a frame": [e.longest_gap_ms for e in watched]}, "ms")
    kilobytes = [each.socket_bytes / each.seconds / 1e3 for each in watched]
    run.keep({f"{name}, over the websocket": kilobytes}, "KB/s")
    answered = [percentile(each.answered_ms, 0.99) for each in watched]
    run.keep({f"{name}, sent to acknowledged, p99": answered}, "ms")
    lines = [each.in_sight / each.sent for each in watched]
    run.keep({f"{name}, lines above the fold": lines}, "share")
    exact = [1e3 * each.exact for each in watched]
    run.keep({f"{name}, how exactly the page's clock and the sender's agree": exact}, "ms")
