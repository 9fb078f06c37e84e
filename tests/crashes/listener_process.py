"""A listener in a process of its own: it is killed, or the kernel that leads it."""

import os
import random
import signal

from tests.crashes.kernel import kill
from tests.crashes.scenario import Scenario
from tests.process_parts import end_listener, gone
from tests.processes import Kernels
from tests.waiting import until
from webhooklab.processes import Registry

OPEN_AGAIN = 'lab = Lab(told["file"], **told["options"]); say(lab.url)'


class ListenerProcess(Scenario):
    """The kernel stays, and opens the Lab again."""

    name = "listener process"

    def start(self) -> str:
        self.kernels = self.closing.enter_context(Kernels(self.folder))
        self.closing.callback(end_listener, self.file)
        self.kernel = self.kernels.born(self.file, listener="process")
        return self.kernel.url

    def crash(self, chance: random.Random) -> None:
        pid = Registry().find(self.file).pid
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        until(lambda: gone(pid))
        self.kernel.say(OPEN_AGAIN)
        assert self.kernel.hear() == self.url


class AttachedKernel(ListenerProcess):
    """The listener stays, the next kernel finds it, and no sender notices."""

    name = "kernel beside a listener process"
    unnoticed = True

    def crash(self, chance: random.Random) -> None:
        kill(self, self.kernel)
        self.kernel = self.kernels.born(self.file, listener="process")
        assert (self.kernel.url, self.kernel.attached) == (self.url, False)
