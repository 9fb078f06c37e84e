"""From deliveries to what is to be fetched for them. Follows the capture file, on a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx

from webhooklab import bodies
from webhooklab.defaults import FOLLOW_SLICE_SECONDS, MAX_WAITING_FETCHES
from webhooklab.following import Follower
from webhooklab.observations import Observations
from webhooklab.pulled import Fetch, Spoken
from webhooklab.pulling.answers import Failure
from webhooklab.pulling.source import Sought
from webhooklab.pulling.templates import Template
from webhooklab.records import Delivery
from webhooklab.refusals import Refuse
from webhooklab.sources import LIVE
from webhooklab.store import Store

_WITHOUT_EVENT: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One event that waits for its fetch. Its body is in the file, not in memory."""

    seq: int
    item: int
    url: httpx.URL


def data_of(event: Spoken) -> Any:
    """What an event's body says. Raises `Failure` when it has no structure."""
    try:
        return bodies.parse(event.body or b"", event.content_type)
    except ValueError as error:
        raise Failure("the body is neither JSON nor a form: not fetched") from error


class Intake:
    """Hands on what each new delivery asks for, from `start` to `stop`.

    `hand_on` gets what is to be fetched; `turn_down` gets rows about what is not. At most
    `MAX_WAITING_FETCHES` are handed on before `done` says that some are; the rest waits in the
    file. Deliveries that were captured before `start` are not fetched for.
    """

    def __init__(
        self,
        store: Store,
        sought: Sought,
        template: Template,
        refuse: Refuse,
        *,
        hand_on: Callable[[Wanted], object],
        turn_down: Callable[[Fetch], object],
    ) -> None:
        self._store = store
        self._observations = Observations(store)
        self._sought = sought
        self._template = template
        self._refuse = refuse
        self._hand_on = hand_on
        self._turn_down = turn_down
        self._stopping = threading.Event()
        self._room = threading.Semaphore(MAX_WAITING_FETCHES)
        self._follower: Follower | None = None
        self._began = 0
        self.taken = 0
        """The highest `seq` that was looked at."""

    def start(self) -> None:
        """Follow the deliveries from now on."""
        self._began = self.taken = self._store.head
        self._follower = Follower(self._store, self._take, self.taken)

    def stop(self) -> None:
        """Hand on no more."""
        self._stopping.set()
        if self._follower is not None:
            self._follower.stop()

    def done(self, count: int) -> None:
        """So many of those that were handed on are done."""
        self._room.release(count)

    def passed_over(self, delivery: Delivery) -> str | None:
        """Why nothing is fetched for a delivery, whatever it says; None: that is to be seen."""
        if delivery.seq <= self._began:
            return "It came before lab.fetch_related was called: only what comes after is fetched."
        if delivery.source not in LIVE:
            return f"Nothing is fetched for what did not come by a webhook ({delivery.source})."
        if delivery.method in _WITHOUT_EVENT:
            return f"Nothing is fetched for a {delivery.method}."
        if not self._sought.covers(delivery.path):
            return f"Nothing is fetched for this path, only below {self._sought.path}."
        return self._of_no_type(delivery)

    def _of_no_type(self, delivery: Delivery) -> str | None:
        if not delivery.event_count:
            return "Nothing is fetched for what carries no event."
        types = [each.event_type for each in self._observations.spoken(delivery.seq)]
        if any(map(self._sought.is_about, types)):
            return None
        return f"Nothing is fetched for this type, only for {self._sought.event_type}."

    def _take(self, delivery: Delivery) -> None:
        try:
            if self._concerns(delivery):
                self._look_at(delivery)
        finally:
            self.taken = delivery.seq

    def _concerns(self, delivery: Delivery) -> bool:
        return (
            delivery.source in LIVE
            and delivery.method not in _WITHOUT_EVENT
            and self._sought.covers(delivery.path)
        )

    def _look_at(self, delivery: Delivery) -> None:
        reason = self._refuse(delivery, unverified=self._sought.unverified)
        events = self._observations.spoken(delivery.seq)
        for event in (each for each in events if self._sought.is_about(each.event_type)):
            try:
                if reason is not None:
                    raise Failure(f"{reason}: not fetched")
                url = self._template.url_for(data_of(event))
            except Failure as failure:
                self._turn_down(_turned_down(event, failure))
            else:
                self._wait_for_room()
                self._hand_on(Wanted(event.seq, event.item, url))

    def _wait_for_room(self) -> None:
        while not self._room.acquire(timeout=FOLLOW_SLICE_SECONDS):
            if self._stopping.is_set():
                return


def _turned_down(event: Spoken, failure: Failure) -> Fetch:
    return Fetch(
        seq=event.seq,
        item=event.item,
        entity_type=event.entity_type,
        entity_id=event.entity_id,
        error=str(failure),
    )
