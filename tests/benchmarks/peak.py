"""The most memory that something takes, as the system counts it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil
import pyarrow as pa

SAMPLE_SECONDS = 0.005


def give_back() -> None:
    """Return freed memory to the system: what is used again would not count."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # the GNU library has this
        ctypes.CDLL(None).malloc_trim(0)


class Peak:
    """A process's memory (RSS) at most, above its beginning. `with` starts and ends the watch.

    Linux keeps the most by itself; elsewhere it is looked at again and again.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._process = psutil.Process(pid or os.getpid())
        self._status = Path(f"/proc/{self._process.pid}/status")
        self._over = threading.Event()
        self._most = 0
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._start = self._process.memory_info().rss
        self._watch = threading.Thread(target=self._look_again, daemon=True)
        if self._status.exists():
            Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")
        else:
            self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._watch.ident is not None:
            self._watch.join()
        most = self._kept_by_system() if self._status.exists() else self._most
        self.megabytes = max(0, most - self._start) / 2**20

    def _kept_by_system(self) -> int:
        lines = self._status.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def _look_again(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self._most = max(self._most, self._process.memory_info().rss)


def peak_megabytes(work: Callable[[], object]) -> float:
    """MB at most while this process does `work`; its result counts."""
    give_back()
    with Peak() as peak:
        work()
    return peak.megabytes
