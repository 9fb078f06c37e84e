"""How a command that runs on is ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import click


def until_stopped(going: Callable[[], bool] = lambda: True) -> None:
    """Wait for Ctrl-C, or to be asked to end, or until it is no longer `going`."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        while going() and not stopped.wait(0.5):
            pass
    except KeyboardInterrupt:
        click.echo()
