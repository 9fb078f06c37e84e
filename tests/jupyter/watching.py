"""What a page does while it is under load: its frames, its long tasks, what the kernel sends it."""

import itertools
import re
from dataclasses import dataclass, field

WATCH = """() => {
    const seen = (window.seenFrames = { at: [], long: [] });
    const next = (at) => { seen.at.push(at); requestAnimationFrame(next); };
    requestAnimationFrame(next);
    new PerformanceObserver((list) =>
        seen.long.push(...list.getEntries().map((each) => each.duration)),
    ).observe({ type: 'longtask' });
}"""
ROWS = re.compile(rb'"kind": ?"rows", ?"revision": ?\d+, ?"after": ?(\d+), ?"through": ?(\d+)')


@dataclass(frozen=True)
class Smoothness:
    frames_per_second: float
    p99_gap_ms: float
    longest_gap_ms: float
    long_tasks: int
    longest_task_ms: float


def watch_frames(page):
    """Note each frame's time and each long task (50 ms or more), from now on."""
    page.evaluate(WATCH)


def smoothness(page):
    """What was watched."""
    seen = page.evaluate("() => window.seenFrames")
    times = seen["at"]
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    return Smoothness(
        frames_per_second=round(1e3 * len(gaps) / (times[-1] - times[0]), 1),
        p99_gap_ms=round(gaps[len(gaps) * 99 // 100], 1),
        longest_gap_ms=round(gaps[-1], 1),
        long_tasks=len(seen["long"]),
        longest_task_ms=max(seen["long"], default=0.0),
    )


@dataclass
class Heard:
    """What came over a page's websockets: ranges of rows (after, through], and bytes in all."""

    ranges: list = field(default_factory=list)
    received_bytes: int = 0

    def listen(self, page):
        """From the next opening of the page on."""
        page.on("websocket", lambda socket: socket.on("framereceived", self.hear))

    def hear(self, frame):
        data = frame if isinstance(frame, bytes) else frame.encode()
        self.received_bytes += len(data)
        self.ranges += [(int(after), int(through)) for after, through in ROWS.findall(data)]

    def through(self):
        """Up to which row all ranges hang together, from the first row on."""
        reached = 0
        for after, through in sorted(self.ranges):
            if after > reached:
                break
            reached = max(reached, through)
        return reached
