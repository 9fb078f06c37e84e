"""Listeners in processes of their own: started by kernels, sent to all the time, ended at last."""

import os
import signal
import threading
import time
from typing import Self

import psutil

from tests.raw_http import post
from tests.waiting import until
from webhooklab.ownership import Ownership
from webhooklab.processes import Registry, connected


class SteadySender(threading.Thread):
    """Posts on a new connection each time, from `with` to its end; notes answers and how long."""

    def __init__(self, url: str, pause: float = 0.01) -> None:
        super().__init__()
        self.url, self.pause = url, pause
        self.acknowledged: list[bytes] = []
        self.errors: list[BaseException] = []
        self.slowest = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._over.wait(self.pause):
            begun, body = time.monotonic(), b"%d" % number
            try:
                assert post(self.url, body).status == 200
            except (OSError, AssertionError) as error:
                self.errors.append(error)
            else:
                self.acknowledged.append(body)
            self.slowest = max(self.slowest, time.monotonic() - begun)
            number += 1

    def more(self, count: int) -> None:
        """Return when so many more have been answered."""
        enough = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= enough or self.errors, patience=30)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has, too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end_listener(file) -> None:
    """End the process that listens for a file, if one does, and see that it leaves nothing."""
    entry = Registry().find(file)
    if entry is not None:
        os.kill(entry.pid, signal.SIGCONT)
        try:
            with connected(entry) as connection:
                connection.peer.call("stop", 10)
        except OSError:
            pass  # it has ended meanwhile
        until(lambda: gone(entry.pid), patience=20)
    until(lambda: not Ownership(file).taken())
