"""Waking those who wait for rows."""

from __future__ import annotations

import threading


class Changes:
    """Counts the changes that this process made to the file, and wakes whoever waits for one."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.count = 0

    def announce(self) -> None:
        """One more change."""
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def wait(self, seen: int, timeout: float) -> None:
        """Return when there is a change after the `seen` ones, or after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self.count != seen, timeout)
