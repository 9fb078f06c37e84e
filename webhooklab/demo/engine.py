"""Life, API and webhooks on one event loop. Every method runs on that loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from tornado.httpserver import HTTPServer

from webhooklab.clock import monotonic, now_us
from webhooklab.demo.api import Desk, application
from webhooklab.demo.courier import Courier
from webhooklab.demo.defaults import IDLE_CONNECTION_SECONDS, MAX_REQUEST_BODY_BYTES
from webhooklab.demo.dispatch import Dispatcher
from webhooklab.demo.faults import Dials, Dice
from webhooklab.demo.keys import Signing
from webhooklab.demo.kinds import Kind
from webhooklab.demo.life import Change, Life
from webhooklab.demo.rates import RateWindow
from webhooklab.demo.truth import Record


@dataclass(frozen=True)
class Plan:
    """What a Shop is made of. `url`: its own, ends in `/`."""

    url: str
    seed: int | str
    kinds: Sequence[Kind]
    api_key: str
    signing: Signing
    thin: bool
    dials: Dials


class Engine:
    """The Shop itself, without its thread."""

    def __init__(self, plan: Plan, sockets: Sequence[socket.socket]) -> None:
        dice = Dice(plan.seed)
        self.dials = plan.dials
        self.life = Life(plan.seed, plan.kinds)
        self.courier = Courier(plan.signing, thin=plan.thin, dials=plan.dials)
        self.rate: float | None = None
        self._dispatcher = Dispatcher(self.courier, dice, plan.dials)
        self._records: list[Record] = []
        self._pace = Random(f"{plan.seed!r} pace")  # noqa: S311 - a simulation
        self._living: asyncio.Task[None] | None = None
        desk = Desk(plan.url, plan.api_key, self.life, plan.dials, dice, RateWindow(plan.dials))
        self._server = _serve(desk, sockets)

    def advance(self, count: int) -> list[Change]:
        """Let `count` things happen now."""
        return [self._step() for _ in range(count)]

    def send_to(self, url: str | None) -> None:
        """Set the subscriber."""
        self.courier.send_to(url)

    def run(self, rate: float) -> None:
        """Let `rate * speed` things happen a second, from now on. Replaces an earlier rate."""
        self.pause()
        self.rate = rate
        self._living = asyncio.create_task(self._live(rate))

    def pause(self) -> None:
        """Let nothing more happen by itself; what is under way goes on."""
        self.rate = None
        if self._living is not None:
            self._living.cancel()
            self._living = None

    async def drain(self, seconds: float) -> int:
        """Wait for what has been scheduled; returns how many deliveries are left over."""
        return await self._dispatcher.drain(seconds)

    def records(self) -> list[Record]:
        """Return copies of all records, as they are now."""
        return [replace(record) for record in self._records]

    async def stop(self) -> None:
        """Close the port and the connections, cancel all tasks."""
        self.pause()
        self._server.stop()
        await self._dispatcher.stop()
        await self._server.close_all_connections()
        await self.courier.close()

    async def abandon(self) -> None:
        """Stop, and end the loop: for a Shop that nobody holds any more."""
        try:
            await self.stop()
        finally:
            asyncio.get_running_loop().stop()

    def _step(self) -> Change:
        change = self.life.advance(now_us())
        self._records.append(self._dispatcher.dispatch(change))
        return change

    async def _live(self, rate: float) -> None:
        """Wait a random, exponential time (as customers come), then let something happen."""
        due = monotonic()
        while True:
            due += self.dials.scaled(self._pace.expovariate(rate))
            await asyncio.sleep(max(0.0, due - monotonic()))
            await self._dispatcher.room()
            self._step()
            due = max(due, monotonic() - 1.0)  # after a pause of the machine, no flood


def _serve(desk: Desk, sockets: Sequence[socket.socket]) -> HTTPServer:
    server = HTTPServer(
        application(desk),
        max_body_size=MAX_REQUEST_BODY_BYTES,
        idle_connection_timeout=IDLE_CONNECTION_SECONDS,
    )
    server.add_sockets(sockets)
    return server
