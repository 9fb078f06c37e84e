"""The kernel that forwards is killed: what it has acknowledged arrives all the same."""

import random
from collections.abc import Sequence

from tests.crashes.arrived import Arrivals, Place
from tests.crashes.kernel import KernelListens
from tests.crashes.traffic import METHODS
from tests.target_parts import Target


class Forwarder(KernelListens):
    """Each arrives at the target at least once, always with the same key."""

    name = "forwarder"
    pause = 0.05

    def start(self) -> str:
        self.target = self.closing.enter_context(Target())
        url = super().start()
        self._forward()
        return url

    def crash(self, chance: random.Random) -> None:
        super().crash(chance)
        self._forward()

    def _forward(self) -> None:
        self.kernel.say(f"forward = lab.forward({self.target.url!r}, methods={METHODS}); say(0)")
        self.kernel.hear()

    def places(self) -> Sequence[Place]:
        return [*super().places(), Arrivals(self.target)]

    def meanwhile(self) -> None:
        """Sending on is enough."""
        return
