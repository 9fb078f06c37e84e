"""Small measures of what goes on: how long something takes, how late a loop is."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import STALL_SECONDS

_LAST: Final = 1_000
_LOOK_SECONDS: Final = 0.25


class Durations:
    """The last thousand of what was timed. One thread adds, any reads."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_LAST)

    def add(self, seconds: float) -> None:
        """One more."""
        self._seconds.append(seconds)

    def quantile(self, share: float) -> float | None:
        """So much of them (0 to 1) took no longer; seconds. None: there was nothing."""
        ordered = sorted(self._seconds.copy())
        if not ordered:
            return None
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(slots=True)
class Stalled:
    """How often a loop stood still: `longest` in seconds, `last_at` in us since the epoch."""

    count: int = 0
    longest: float = 0.0
    last: float = 0.0
    last_at: int | None = None


class Stalls:
    """Notes when a loop stands still, because one C call holds the interpreter's lock, say."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = Stalled()

    def watch(self, background: BackgroundLoop) -> None:
        """Watch a loop that runs, until it stops."""
        asyncio.run_coroutine_threadsafe(self._watch(), background.loop)

    async def _watch(self) -> None:
        while True:
            begun = clock.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)
            self.note(clock.monotonic() - begun - _LOOK_SECONDS)

    def note(self, late: float) -> None:
        """A loop was so many seconds late."""
        if late < STALL_SECONDS:
            return
        with self._lock:
            seen = self._seen
            longest = max(seen.longest, late)
            self._seen = Stalled(seen.count + 1, longest, late, clock.now_us())

    def as_dict(self) -> dict[str, Any]:
        """What was noted: the fields of `Stalled`."""
        with self._lock:
            return asdict(self._seen)
