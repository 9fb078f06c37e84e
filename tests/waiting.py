"""Waiting for what is about to become true, because another thread or process works on it."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 30.0


def until(condition: Callable[[], object], patience: float = PATIENCE_SECONDS) -> None:
    """Return when the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.005)
