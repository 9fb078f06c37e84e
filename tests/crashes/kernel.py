"""The kernel is killed, and its listener with it, a thread of the same process."""

import random

from tests.crashes.scenario import AGAIN, Scenario, pause
from tests.processes import Kernel, Kernels
from webhooklab.store import Store
from webhooklab.views import Views

STARTING_SECONDS = 0.06
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
