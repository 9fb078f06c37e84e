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


class SteadySender:
    """Posts so many times a second, from `with` or `start` to `stop`; notes answers and how long.

    Each on a new connection, in turns by several hands, so that one slow answer holds up no other.
    """

    HANDS = 4

    def __init__(self, url: str, per_second: float = 100.0) -> None:
        self.url, self.per_second = url, per_second
        self.acknowledged: list[bytes] = []
        self.errors: list[BaseException] = []
        self.slowest = 0.0
        self._over = threading.Event()
        self._begun = time.monotonic()
        self._hands = [threading.Thread(target=self._post_on, args=(n,)) for n in range(self.HANDS)]

    def _post_on(self, number: int) -> None:
        while not self._over.wait(self._begun + number / self.per_second - time.monotonic()):
            self._post(b"%d" % number)
            number += self.HANDS

    def _post(self, body: bytes) -> None:
        begun = time.monotonic()
        try:
            answer = post(self.url, body)
            assert answer.status == 200, answer
        except (OSError, AssertionError) as error:
            self.errors.append(error)
        else:
            self.acknowledged.append(body)
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def more(self, count: int) -> None:
        """Return when so many more have been answered."""
        enough = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= enough or self.errors, patience=30)

    def start(self) -> Self:
        self._begun = time.monotonic()
        for hand in self._hands:
            hand.start()
        return self

    def stop(self) -> None:
        self._over.set()
        for hand in self._hands:
            hand.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


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
