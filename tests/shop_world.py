"""A Shop, a Lab that listens to it and polls it over real HTTP, and what must come of it.

What is expected is worked out from `shop.truth` and from when polls were made, one change after
the other: no code is shared with the comparison.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import pandas as pd

from tests.api_parts import QUICK
from tests.waiting import until
from webhooklab import Lab
from webhooklab.demo import Faults, Shop
from webhooklab.pulled import Poll

PLURAL = {"order": "orders", "customer": "customers", "invoice": "invoices"}
FAST = 100.0
"""The Shop's speed: what is delayed by seconds there is delayed by centiseconds here."""
SLOW = 5.0
"""A rate limit that is not over before the test is."""


@dataclass
class View:
    """A complete poll, and the versions that the API showed."""

    requested: int
    polled: int
    versions: dict[str, int]


@dataclass
class World:
    """A life in rounds: some things happen, then some of the collections are polled."""

    file: Any
    seed: int
    faults: Faults = field(default_factory=Faults)
    payload: Any = "full"
    fetch: bool = False
    kinds: tuple[str, ...] = ("order", "customer")
    speed: float = FAST

    def __enter__(self) -> Self:
        self.random = Random(f"world {self.seed}")
        self.shop = Shop(
            seed=self.seed, faults=self.faults, payload=self.payload, entities=self.kinds,
            speed=self.speed,
        )  # fmt: skip
        self.lab = Lab(self.file)
        self.lab._parts.pulling._limits = QUICK
        self.lab.map(version="data.version")
        self.shop.send_to(self.lab.url)
        self.headers = {"X-Api-Key": self.shop.api_key}
        self.views: dict[str, list[View]] = {kind: [] for kind in self.kinds}
        self.pollers: dict[str, Any] = {}
        self.failed = 0
        self.rounds: list[tuple[int, dict[str, int]]] = []
        """After each round: how many changes there were, and the versions of what lived then."""
        if self.fetch:
            for kind in self.kinds:
                self._fetch(kind)
        return self

    def __exit__(self, *error: object) -> None:
        self.lab.close()
        self.shop.close()

    def _fetch(self, kind: str) -> None:
        self.lab.fetch_related(
            f"{self.shop.url}{PLURAL[kind]}/{{data.id}}", event_type=f"{kind}.*",
            version="version", headers=self.headers,
        )  # fmt: skip

    # What happens

    def live(self, rounds: int, *, most: int = 8, drain: bool = False) -> None:
        """Let things happen, with polls between them, and all of them at the end."""
        for _ in range(rounds):
            self.shop.advance(self.random.randint(0, most))
            if drain:
                self.settle()
            self.rounds.append((len(self.records()), self._living()))
            for kind in self.kinds:
                if self.random.random() < 0.7:
                    self.poll(kind)
        self.shop.faults = Faults()
        self.settle()
        for kind in [*self.kinds, *self.kinds]:
            self.poll(kind)

    def settle(self) -> None:
        """Have all that was sent captured, and fetched for."""
        self.shop.drain()
        for fetcher in self.lab._parts.pulling.fetchers.values():
            fetcher.drain()

    def poll(self, kind: str) -> None:
        """Poll a collection once more, or for the first time."""
        if kind not in self.pollers:
            self._start(kind)
            return
        poll: Poll = self.pollers[kind].poll_now()
        self._note(kind, poll.requested_at, poll.polled_at, complete=poll.complete)

    def _start(self, kind: str) -> None:
        poller = self.pollers[kind] = self.lab.poll(
            self.shop.url + PLURAL[kind], every=3600, version="version", name=kind,
            entity_type=kind, headers=self.headers,
        )  # fmt: skip
        until(lambda: poller.stats["polls"])
        first = self.lab.polls.query("poller == @kind").head(1)
        times = (int(first[name].astype("int64").iloc[0]) for name in ("requested_at", "polled_at"))
        self._note(kind, *times, complete=bool(first.complete.iloc[0]))

    def _note(self, kind: str, requested: int, polled: int, *, complete: bool) -> None:
        self.failed += not complete
        if complete:
            self.views[kind].append(View(requested, polled, self._shown(kind)))

    def _shown(self, kind: str) -> dict[str, int]:
        own = {r.change.entity_id for r in self.records() if r.change.entity_type == kind}
        return {name: version for name, version in self._living().items() if name in own}

    def _living(self) -> dict[str, int]:
        newest = {record.change.entity_id: record.change for record in self.records()}
        return {name: change.version for name, change in newest.items() if not change.deleted}

    # What is known of it

    def changes(self, **options: Any) -> pd.DataFrame:
        """The comparison's rows, by entity and version."""
        found = self.lab.compare(**{"grace": 0, **options}).changes
        assert not found.duplicated(["entity_id", "version"]).any()
        return found.set_index(["entity_id", "version"])

    def records(self) -> list[Any]:
        return self.shop._engine.records()

    def deliveries(self) -> pd.DataFrame:
        """What came: `seq`, `entity_id`, `number` (the version), `deleted`, `received` in us."""
        rows = [
            {"seq": each.seq, "entity_id": each.json()["data"]["id"],
             "number": each.json()["data"].get("version"), "kind": each.event_type.split(".")[0],
             "deleted": each.event_type.endswith(".deleted")}
            for each in self.lab
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["seq", "entity_id", "number", "kind", "deleted"])
        frame["received"] = self.lab.events.received_at.astype("int64").tolist()
        return frame


def key_of(change: Any) -> tuple[str, str]:
    return change.entity_id, "deleted" if change.deleted else str(change.version)


class Expected:
    """The verdict and the flags of each change, for full payloads and a grace of 0."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.came = world.deliveries()
        known = {name for views in world.views.values() for v in views for name in v.versions}
        met = self.came[self.came.entity_id.isin(known)]
        self.works = met.groupby("kind").received.min().to_dict()

    def verdicts(self) -> dict[tuple[str, str], str]:
        found = {key_of(r.change): self._verdict(r) for r in self.world.records()}
        return {key: verdict for key, verdict in found.items() if verdict is not None}

    def _verdict(self, record: Any) -> str | None:
        change, views = record.change, self.world.views[record.change.entity_type]
        reached = record.outcome == "delivered"
        first = self._first_view(change, views)
        if first is None:
            return self._unseen(change, views) if reached else None
        if reached:
            return "both"
        if first == 0:
            return None
        works = self.works.get(change.entity_type)
        if works is None or not works < views[first - 1].requested:
            return "unknown: nothing ever pushed"
        return "poll_only"

    def _first_view(self, change: Any, views: list[View]) -> int | None:
        before = False
        for number, view in enumerate(views):
            version = view.versions.get(change.entity_id)
            if version == change.version and not change.deleted:
                return number
            if change.deleted and version is None and before:
                return number
            before |= version is not None
        return None

    def _unseen(self, change: Any, views: list[View]) -> str:
        """Of a change that was pushed: what its not being polled means."""
        shown = [n for n, view in enumerate(views) if change.entity_id in view.versions]
        if not shown:
            return self._never_seen(change, views)
        first = views[shown[0]].versions[change.entity_id]
        if self._first_showing(change, views) is None:
            return "pending"
        return "push_only" if shown[0] > 0 or first < change.version else "unknown: baseline"

    def _never_seen(self, change: Any, views: list[View]) -> str:
        if not any(view.versions for view in views):
            return "unknown: not polled"  # nothing shows what this poller is for
        own = self.came[self.came.entity_id == change.entity_id]
        gone = own[own.deleted].received
        now = gone if len(gone) else own[own.number == change.version].received
        if not views[-1].requested > now.min():
            return "pending"
        if not len(gone):
            return "unknown: not polled"
        return "push_only" if views[0].polled < own.received.min() else "unknown: baseline"

    def flags(self, change: Any) -> dict[str, Any]:
        """`duplicate`, `out_of_order` and `stale`, and how many deliveries there were."""
        of_entity = self.came[self.came.entity_id == change.entity_id]
        own = of_entity[of_entity.number == change.version]
        views = self.world.views[change.entity_type]
        first = self._first_showing(change, views)
        newer = of_entity[of_entity.number > change.version]
        return {
            "duplicate": len(own) > 1,
            "out_of_order": bool(len(newer)) and bool(len(own)) and newer.seq.min() < own.seq.max(),
            "stale": first is not None and bool(len(own)) and first < own.received.max(),
            "delivery_count": len(own),
        }

    def _first_showing(self, change: Any, views: list[View]) -> int | None:
        """When a poll was complete that showed something newer of the entity."""
        before = False
        for view in views:
            version = view.versions.get(change.entity_id)
            if version is not None and version > change.version:
                return view.polled
            if version is None and before and not change.deleted:
                return view.polled
            before |= version is not None
        return None


class Thin(Expected):
    """The verdicts where payloads say only what they are about, and all came before the polls.

    With fetches each event has the version that there was at the end of its round.
    """

    def _verdict(self, record: Any) -> str | None:
        change, views = record.change, self.world.views[record.change.entity_type]
        if change.deleted:
            return super()._verdict(record)
        lent = self.world.fetch and change.version in self._lent(change.entity_id)
        first = self._first_view(change, views)
        if first is None:
            return self._unseen(change, views) if lent else None
        if lent:
            return "both"
        if first == 0:
            return None
        before, view = views[first - 1], views[first]
        own = self.came[(self.came.entity_id == change.entity_id) & ~self.came.deleted]
        if own.received.between(before.requested, view.polled, inclusive="right").any():
            return "unknown: thin"
        works = self.works.get(change.entity_type)
        return "poll_only" if works and works < before.requested else "unknown: nothing ever pushed"

    def _lent(self, entity_id: str) -> set[int | None]:
        numbers = [
            r.change.number
            for r in self.world.records()
            if r.change.entity_id == entity_id and r.outcome == "delivered" and not r.change.deleted
        ]
        return {self._at_the_end_of_its_round(number).get(entity_id) for number in numbers}

    def _at_the_end_of_its_round(self, number: int) -> dict[str, int]:
        return next(living for count, living in self.world.rounds if count >= number)
