"""Who listens for a capture file: one process at a time, by a lock that a crash releases.

The door to filelock.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from webhooklab.defaults import OWNERSHIP_PATIENCE_SECONDS
from webhooklab.errors import CaptureFileError

LOCK_SUFFIX = "-lock"
"""The lock file stands beside the capture file, like SQLite's own `-wal` and `-shm`."""


class Ownership:
    """The right to listen for a capture file. Held until `release`, or until the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = f"{path}{LOCK_SUFFIX}"
        self._identity: tuple[int, int] | None = None
        self._lock = FileLock(self._path, timeout=0, mode=0o600, thread_local=False)

    def taken(self) -> bool:
        """Whether another process has the right. Holds it for a moment where nobody does."""
        if not Path(self._path).exists():
            return False
        try:
            with self._lock:
                return False
        except (Timeout, OSError, NotImplementedError):
            return True

    def acquire(self) -> bool:
        """Take the right if nobody has it; whether it is ours now. Raises `CaptureFileError`."""
        try:
            self._lock.acquire(OWNERSHIP_PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise CaptureFileError(
                f"The lock file {self._path} cannot be used: {error}. Delete it if nobody listens "
                "for the capture file, or put the capture file on a local disk."
            ) from error
        self._identity = self._seen()
        return True

    def still_ours(self) -> bool:
        """Whether the lock file is the one that was acquired: nobody has deleted or replaced it."""
        return self._identity is not None and self._identity == self._seen()

    def _seen(self) -> tuple[int, int] | None:
        try:
            status = Path(self._path).stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def release(self) -> None:
        """Give the right back. Repeatable."""
        self._lock.release(force=True)
