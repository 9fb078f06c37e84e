"""The kernel is killed, and its listener with it, a thread of the same process."""

import os
import random
import signal

from tests.crashes.scenario import AGAIN, Scenario, pause
from tests.processes import Kernel, Kernels
from webhooklab.store import Store
from webhooklab.views import Views

STARTING_SECONDS = 0.06
ORPHANS = 3
"""So many forked children outlive their kernel at a time."""
FRAMES = 3


class KernelListens(Scenario):
    """Frames are read by another process meanwhile."""

    name = "kernel"

    def start(self) -> str:
        self.kernels = self.closing.enter_context(Kernels(self.folder))
        self.kernel = self.kernels.born(self.file)
        return self.kernel.url

    def crash(self, chance: random.Random) -> None:
        kill(self, self.kernel)
        if chance.random() < AGAIN:
            starting = self.kernels.begun(self.file)
            pause(chance, STARTING_SECONDS)
            kill(self, starting)
        self.kernel = self.kernels.born(self.file)
        assert self.kernel.url == self.url

    def meanwhile(self) -> None:
        read_frames(self.file)


FORK = """
pid = os.fork()
if pid == 0:
    sys.exit() if {} else (os.close(talk.fileno()), signal.pause())
say(pid)
"""
"""A child that ends as any Python does, or lives on; it must disturb nothing either way."""


class KernelForks(KernelListens):
    """The kernel has forked: some children end before it is killed, others live longer."""

    name = "kernel that forks"

    def start(self) -> str:
        self._orphans: list[int] = []
        url = super().start()
        self.closing.callback(
            self._end_orphans
        )  # they hold the pipes that ending kernels waits for
        return url

    def meanwhile(self) -> None:
        for ends in (True, False):
            self.kernel.say(f"exec({FORK.format(ends)!r})")
            pid = self.kernel.hear()
            if not ends:
                self._orphans.append(pid)

    def crash(self, chance: random.Random) -> None:
        super().crash(chance)
        while len(self._orphans) > ORPHANS:
            os.kill(self._orphans.pop(0), signal.SIGKILL)

    def _end_orphans(self) -> None:
        for pid in self._orphans:
            os.kill(pid, signal.SIGKILL)


def kill(scenario: Scenario, kernel: Kernel) -> None:
    kernel.kill()
    scenario.kills += 1


def read_frames(file) -> None:
    """A frame only grows, and each of its rows is whole."""
    store = Store(file, write=False)
    views = Views(store)
    seen = views.events()
    for _ in range(FRAMES):
        frame = views.events()
        assert frame.index.is_monotonic_increasing
        assert frame.index[: len(seen)].equals(seen.index)
        assert (frame.body.map(len) == frame.body_bytes).all()
        seen = frame
    store.close()
