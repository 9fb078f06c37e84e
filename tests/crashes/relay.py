"""Deliveries that come by a relay: it, its link and the kernel that reads are killed and cut."""

import random
from typing import Any

from tests.crashes.kernel import kill
from tests.crashes.scenario import AGAIN, Scenario, pause
from tests.cutting import CuttingProxy
from tests.processes import Kernels
from tests.relay_parts import RelayProcess

STARTING_SECONDS = 1.0
EXPOSE = "exposure = lab.expose({!r}); say(exposure.url)"


class ByRelay(Scenario):
    """A relay, and a kernel that reads it through a link that can be cut."""

    pause = 0.02

    def start(self) -> str:
        self.kernels = self.closing.enter_context(Kernels(self.folder))
        self.relay = relay_in(self.folder)
        self.closing.callback(self.relay.kill)
        self.link = self.closing.enter_context(CuttingProxy(self.relay.port))
        self._born()
        return self.public

    def _born(self) -> None:
        self.kernel = self.kernels.born(self.file)
        self.kernel.say(EXPOSE.format(self.link.url))
        self.public = self.kernel.hear().replace(self.link.url, self.relay.url.rstrip("/"))


class Relay(ByRelay):
    """The relay; the link is cut before it comes back, or after."""

    name = "relay"

    def crash(self, chance: random.Random) -> None:
        kill_relay(self, self.relay, chance)
        if chance.random() < AGAIN:
            self.link.cut()


class RelayClient(ByRelay):
    """The kernel that reads; the next one has the same URL."""

    name = "relay client"
    unnoticed = True

    def crash(self, chance: random.Random) -> None:
        kill(self, self.kernel)
        self._born()
        assert self.public == self.url


def relay_in(folder: Any, *options: str) -> RelayProcess:
    """A relay that refuses nothing for being too much."""
    limits = ("--rate-per-second", "100000", "--rate-burst", "1000000", "--queue-rows", "1000000")
    place = folder / "relay"
    place.mkdir()
    return RelayProcess(place, *limits, *options)


def kill_relay(scenario: Scenario, relay: RelayProcess, chance: random.Random) -> None:
    """Kill it, sometimes again while it starts, and start it."""
    relay.kill()
    scenario.kills += 1
    if chance.random() < AGAIN:
        relay.begin()
        pause(chance, STARTING_SECONDS)
        relay.kill()
        scenario.kills += 1
    relay.start()
