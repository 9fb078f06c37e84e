"""From a delivery's sending until its row is painted in the browser, and what that takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.browser import HELD_ROWS, desk
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target
from tests.benchmarks.sightings import percentile
from tests.benchmarks.stage import Scene, Stage, Watched

VISIBLE = Target(200.0, 100.0, at_least=False, unit=" ms")
VISIBLE_FROM = 100
MILLISECONDS = Target(at_least=False, unit=" ms")
LESS_IS_BETTER = Target(at_least=False)
SMOOTH = Target(0.95, 0.99)
ALL_OF_THEM = Target(1.0, 1.0)
SCENES = (Scene(1, 7), Scene(100, 3), Scene(1_000, 3), Scene(1_000, 3, HELD_ROWS))


@benchmark("inbox")
def inbox(run: Run) -> Iterator[Row]:
    scenes = SCENES[:-1] if run.quick else SCENES
    watched: dict[Scene, list[Watched]] = {scene: [] for scene in scenes}
    with tempfile.TemporaryDirectory(dir=run.folder) as folder, desk(run) as found:
        if found is None:
            return
        for number in range(min(run.rounds, 3)):
            stage = Stage(found, Path(folder, str(number)), scenes)
            for at, scene in enumerate(scenes):
                watched[scene].append(stage.play(at, run.seconds))
            found.clear()
    for scene, each in watched.items():
        yield from _rows(scene, each)
        _keep(run, f"inbox, {scene.name}", each)


def _rows(scene: Scene, watched: list[Watched]) -> Iterator[Row]:
    what = f"inbox, {scene.name}"
    owed = VISIBLE if scene.per_second >= VISIBLE_FROM else MILLISECONDS
    for share, target in ((0.5, MILLISECONDS), (0.99, owed)):
        delays = [percentile(each.delays_ms, share) for each in watched]
        yield Row(f"{what}: sent to visible, p{share * 100:.0f}", delays, target)
    seen = [min(len(each.delays_ms), each.held) / each.sent for each in watched]
    yield Row(f"{what}: share of them shown", seen, ALL_OF_THEM)
    frames = [each.frames / each.idle for each in watched]
    yield Row(f"{what}: frames per second, against the idle page", frames, SMOOTH)
    bytes_ = [each.socket_bytes / each.body_bytes for each in watched]
    yield Row(f"{what}: bytes over the websocket, against bytes captured", bytes_, LESS_IS_BETTER)


def _keep(run: Run, name: str, watched: list[Watched]) -> None:
    run.keep({name: [each.frames for each in watched]}, "frames/s")
    run.keep({f"{name}, longest without a frame": [e.longest_gap_ms for e in watched]}, "ms")
    kilobytes = [each.socket_bytes / each.seconds / 1e3 for each in watched]
    run.keep({f"{name}, over the websocket": kilobytes}, "KB/s")
    answered = [percentile(each.answered_ms, 0.99) for each in watched]
    run.keep({f"{name}, sent to acknowledged, p99": answered}, "ms")
    above = [each.in_sight / each.sent for each in watched]
    run.keep({f"{name}, lines above the fold": above}, "share")
    kernel = [1e3 * each.kernel_seconds / each.sent for each in watched]
    page = [1e3 * each.page_seconds / each.seconds for each in watched]
    run.keep({f"{name}, the kernel's processor time": kernel}, "ms per delivery")
    run.keep({f"{name}, the page's processor time": page}, "ms per second")
    exact = [1e3 * each.exact for each in watched]
    run.keep({f"{name}, how exactly the clocks agree": exact}, "ms")
