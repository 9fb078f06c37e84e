"""Who listens for a capture file: one process at a time, by a lock that a crash releases.

The door to filelock.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

LOCK_SUFFIX = "-lock"
"""The lock file stands beside the capture file, like SQLite's own `-wal` and `-shm`."""


class Ownership:
    """The right to listen for a capture file. Held until `release`, or until the process ends."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(f"{path}{LOCK_SUFFIX}", timeout=0, mode=0o600, thread_local=False)

    def acquire(self) -> bool:
        """Take the right if nobody has it; whether it is ours now."""
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Give the right back. Repeatable."""
        self._lock.release(force=True)
