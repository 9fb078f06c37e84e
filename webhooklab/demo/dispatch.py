"""Which webhook goes when: in order per entity, unless a fault says otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from webhooklab.demo.courier import Courier
from webhooklab.demo.defaults import (
    HELD_QUIET_SECONDS,
    MAX_HELD_CHANGES,
    MAX_PENDING_DELIVERIES,
)
from webhooklab.demo.faults import Dials, Dice, Fate
from webhooklab.demo.life import Change
from webhooklab.demo.truth import Record


@dataclass(frozen=True)
class Held:
    """A webhook that waits to be overtaken by its entity's next one."""

    record: Record
    fate: Fate


class Dispatcher:
    """Gives each change's webhook to the courier. Lives on one event loop.

    A first attempt waits for the first attempt of the same entity's webhook before it, so that
    without faults nothing arrives out of order; retries wait for nobody, as in real life.
    """

    def __init__(self, courier: Courier, dice: Dice, dials: Dials) -> None:
        self._courier = courier
        self._dice = dice
        self._dials = dials
        self._tasks: set[asyncio.Task[None]] = set()
        self._tails: dict[str, asyncio.Event] = {}
        self._held: dict[str, Held] = {}
        self._quiet: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> int:
        """Deliveries that have not had their final attempt."""
        return len(self._tasks) + len(self._held)

    def dispatch(self, change: Change) -> Record:
        """Decide on one change's webhook and start it. The dice are thrown in any case."""
        record, fate = Record(change), self._dice.fate(self._dials.faults)
        refusal = self._courier.refusal
        if refusal is not None:
            record.outcome = refusal
        elif fate.lost:
            record.lost, record.outcome = True, "lost"
        elif fate.reordered and not change.rests and change.entity_id not in self._held:
            self._held[change.entity_id] = Held(record, fate)
        else:
            self._send(record, fate)
        self._release_overdue(change.number)
        return record

    def release(self) -> None:
        """Send what waits to be overtaken: nothing will overtake it."""
        for entity_id in list(self._held):
            self._release(entity_id, overtaken=False)

    async def drain(self, seconds: float) -> int:
        """Wait for all that has been dispatched so far; returns how many are left over."""
        self.release()
        if not self._tasks:
            return 0
        _, left = await asyncio.wait(set(self._tasks), timeout=seconds)
        return len(left)

    async def room(self) -> None:
        """Wait until fewer than the greatest number of deliveries are under way."""
        while len(self._tasks) >= MAX_PENDING_DELIVERIES:
            await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        """Cancel all that is under way."""
        self._held.clear()
        if self._quiet is not None:
            self._quiet.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send(self, record: Record, fate: Fate) -> None:
        record.delayed = fate.delayed
        self._start_copies(record, fate)
        if not fate.delayed and record.change.entity_id in self._held:
            self._release(record.change.entity_id, overtaken=True)

    def _release(self, entity_id: str, *, overtaken: bool) -> None:
        held = self._held.pop(entity_id)
        held.record.reordered = overtaken
        self._start_copies(held.record, held.fate)

    def _start_copies(self, record: Record, fate: Fate) -> None:
        seconds = self._dials.faults.delay_seconds
        delay = self._dials.scaled(seconds) if record.delayed else None
        record.duplicate = fate.duplicated
        for _ in range(2 if fate.duplicated else 1):
            self._start(record, delay)

    def _release_overdue(self, number: int) -> None:
        """Release what has waited for too many changes, and the rest once the Shop is quiet."""
        for entity_id, held in list(self._held.items()):
            if number - held.record.change.number >= MAX_HELD_CHANGES:
                self._release(entity_id, overtaken=False)
        if self._quiet is not None:
            self._quiet.cancel()
        loop, wait = asyncio.get_running_loop(), self._dials.scaled(HELD_QUIET_SECONDS)
        self._quiet = loop.call_later(wait, self.release) if self._held else None

    def _start(self, record: Record, delay: float | None) -> None:
        """Start one copy; without a delay it queues behind its entity's copy before it."""
        entity_id, attempted = record.change.entity_id, asyncio.Event()
        before = None
        if delay is None:
            before = self._tails.get(entity_id)
            self._tails[entity_id] = attempted
        task = asyncio.create_task(self._carry(record, delay, before, attempted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        record: Record,
        delay: float | None,
        before: asyncio.Event | None,
        attempted: asyncio.Event,
    ) -> None:
        try:
            if delay is not None:
                await asyncio.sleep(delay)
            if before is not None:
                await before.wait()
            await self._courier.deliver(record, attempted)
        finally:
            attempted.set()
            if self._tails.get(record.change.entity_id) is attempted:
                del self._tails[record.change.entity_id]
