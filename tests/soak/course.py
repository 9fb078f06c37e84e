"""The intervals of a soak: what was sent in each, when it was answered and seen, what is held."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self

from tests.benchmarks.browser import HELD_ROWS, clock_ahead, wait_until_held
from tests.benchmarks.sightings import TAKE, changes, delays_ms, frames_per_second, percentile
from tests.soak.place import Holding, Place
from tests.soak.sender import Order, Sender

LEAD_SECONDS = 5.0
"""So long before its first delivery the first sender is started; later ones an interval before."""
PATIENCE_SECONDS = 60.0
"""So long after all is sent the last row may still become visible."""


@dataclass(frozen=True)
class Delay:
    """Of an interval's deliveries, in ms."""

    p50: float
    p99: float

    @classmethod
    def of(cls, delays: Sequence[float]) -> Self:
        return cls(percentile(delays, 0.5), percentile(delays, 0.99))


@dataclass(frozen=True)
class Interval:
    """What was seen of an interval's deliveries, all of them acknowledged.

    `seen`: how many of them became visible. `answered`, `visible`: from when each was sent;
    `behind`: that, from when it was due. `load`: of the machine, over a minute.
    """

    number: int
    sent: int
    seen: int
    behind: Delay
    answered: Delay
    visible: Delay
    frames_per_second: float
    holding: Holding
    load: float


@dataclass(frozen=True)
class Sent:
    """An interval that is over, its deliveries not yet looked for."""

    number: int
    order: Order
    sent: dict[int, float]
    answered: dict[int, float]
    holding: Holding
    frames_per_second: float
    load: float


class Course:
    """`count` intervals of so many `seconds` each, without a pause between them. Iterate once."""

    def __init__(self, place: Place, per_second: float, seconds: float, count: int) -> None:
        self._place = place
        self._per_second = per_second
        self._seconds = seconds
        self._count = count
        self._noted: deque[list[Any]] = deque(maxlen=3)
        self._stored: dict[int, int] = {}
        self._head = HELD_ROWS
        self.acknowledged: set[int] = set()
        """The numbers of all deliveries that were answered with 2xx, up to now."""

    def __iter__(self) -> Iterator[Interval]:
        """Each is told when the one after it is over: until then it may still become visible."""
        with ExitStack() as senders:
            before = None
            for sent in self._sent(senders):
                if before is not None:
                    yield self._seen(before)
                before = sent
            assert before is not None
            self._look()
            wait_until_held(self._place.page, self._head, PATIENCE_SECONDS)
            self._note()
            yield self._seen(before)

    def _sent(self, senders: ExitStack) -> Iterator[Sent]:
        self._begin = time.monotonic() + LEAD_SECONDS
        sender = self._sender(0, senders)
        for number in range(self._count):
            self._wait_until(sender.order.at)
            coming = self._sender(number + 1, senders) if number + 1 < self._count else sender
            self._wait_until(sender.order.at + self._seconds / 2)
            holding = self._place.holding()
            self._wait_until(sender.order.at + self._seconds)
            (sent, answered), load = sender.said(), os.getloadavg()[0]
            self.acknowledged |= answered.keys()
            yield Sent(number, sender.order, sent, answered, holding, self._note(), load)
            sender = coming

    def _sender(self, number: int, senders: ExitStack) -> Sender:
        count = round(self._seconds * self._per_second)
        begin = self._begin + number * self._seconds
        order = Order(HELD_ROWS + number * count, count, self._per_second, begin)
        sender = Sender(self._place.port, order)
        senders.callback(sender.end)
        return sender

    def _wait_until(self, moment: float) -> None:
        self._place.page.wait_for_timeout(max(0.0, 1e3 * (moment - time.monotonic())))

    def _note(self) -> float:
        """Take what the page has noted; its frames per second meanwhile."""
        told = self._place.page.evaluate(TAKE)
        self._noted.append(told["changes"])
        return frames_per_second(told["frames"])

    def _look(self) -> None:
        """See what has been stored since it was last looked."""
        self._stored |= self._place.stored(self._head)
        self._head = max(self._stored.values(), default=self._head)

    def _seen(self, sent: Sent) -> Interval:
        self._look()
        due, stored = sent.order.due, self._stored
        begun, answered = sent.sent, sent.answered
        ahead, _ = clock_ahead(self._place.page)
        seqs = {stored.pop(each): at + ahead for each, at in begun.items() if each in stored}
        visible = delays_ms(seqs, changes({"changes": list(chain(*self._noted))}))
        return Interval(
            number=sent.number,
            sent=len(answered),
            seen=len(visible),
            behind=Delay.of([1e3 * (begun[each] - at) for each, at in due.items()]),
            answered=Delay.of([1e3 * (answered[each] - at) for each, at in begun.items()]),
            visible=Delay.of(visible),
            frames_per_second=sent.frames_per_second,
            holding=sent.holding,
            load=sent.load,
        )
