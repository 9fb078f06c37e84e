"""The Shop's life: a seeded simulation, one change after the other. No I/O, `now_us` passed in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from webhooklab.clock import to_datetime
from webhooklab.demo.defaults import CREATE_CHANCES, FEW_OPEN_ENTITIES, MANY_OPEN_ENTITIES
from webhooklab.demo.kinds import DELETED, Kind, Move, State, new_id


@dataclass(frozen=True)
class Change:
    """One thing that happened. `occurred_us` is whole microseconds since 1970, UTC.

    `number` counts from 1; `version` is the entity's own counter, from 1; `state` is the entity
    after the change, as the API shows it (share it, do not change it); `rests`: nothing more will
    happen to this entity.
    """

    number: int
    event_id: str
    event_type: str
    entity_type: str
    entity_id: str
    version: int
    occurred_us: int
    deleted: bool
    rests: bool = field(repr=False)
    state: State = field(repr=False)

    @property
    def occurred_at(self) -> datetime:
        """When it happened, aware UTC; equals the state's `updated_at`."""
        return to_datetime(self.occurred_us)


@dataclass
class Entity:
    """One living order, customer or invoice. `before_us`: when its previous version came."""

    kind: Kind
    number: int
    state: State
    updated_us: int
    before_us: int | None = None


@dataclass
class Collection:
    """The living entities of one kind by id, oldest first, and when its last two changes came."""

    kind: Kind
    entities: dict[str, Entity] = field(default_factory=dict)
    updated_us: int | None = None
    before_us: int | None = None

    def after(self, number: int, count: int) -> list[Entity]:
        """Return up to `count` entities that were created after entity `number`."""
        living = list(self.entities.values())
        start = bisect_right(living, number, key=lambda entity: entity.number)
        return living[start : start + count]


class Life:
    """All entities and what happens to them. The same seed gives the same changes and ids."""

    def __init__(self, seed: int | str, kinds: Sequence[Kind]) -> None:
        self._random = Random(f"{seed!r} life")  # noqa: S311 - a simulation
        self._kinds = list(kinds)
        self._open: list[tuple[Entity, Move]] = []
        self._created = 0
        self._changed = 0
        self._last_us = 0
        self.collections = {kind.name: Collection(kind) for kind in kinds}

    def advance(self, now_us: int) -> Change:
        """Let one thing happen, at `now_us` or a microsecond after the last, if that is later."""
        self._last_us = max(now_us, self._last_us + 1)
        self._changed += 1
        if self._random.random() < self._create_chance():
            return self._create()
        return self._move(*self._take_open())

    def _create_chance(self) -> float:
        few, some, many = CREATE_CHANCES
        if not self._open:
            return 1.0
        if len(self._open) < FEW_OPEN_ENTITIES:
            return few
        return some if len(self._open) < MANY_OPEN_ENTITIES else many

    def _create(self) -> Change:
        kind = self._random.choices(self._kinds, [kind.weight for kind in self._kinds])[0]
        stamp = timestamp(self._last_us)
        head: State = {"id": new_id(self._random, kind.prefix), "object": kind.name}
        head |= {"status": kind.status, "version": 1, "created_at": stamp, "updated_at": stamp}
        self._created += 1
        state = head | kind.compose(self._random, self._pick)
        entity = Entity(kind, self._created, state, self._last_us)
        self.collections[kind.name].entities[head["id"]] = entity
        return self._changed_to(entity, "created")

    def _move(self, entity: Entity, move: Move) -> Change:
        head: State = {"status": move.status, "version": entity.state["version"] + 1}
        head["updated_at"] = timestamp(self._last_us)
        amended = entity.kind.amend(self._random, move, entity.state)
        entity.state = entity.state | head | amended
        entity.before_us, entity.updated_us = entity.updated_us, self._last_us
        if move.verb == DELETED:
            del self.collections[entity.kind.name].entities[entity.state["id"]]
        return self._changed_to(entity, move.verb)

    def _changed_to(self, entity: Entity, verb: str) -> Change:
        collection = self.collections[entity.kind.name]
        collection.before_us, collection.updated_us = collection.updated_us, self._last_us
        move = entity.kind.next_move(self._random, entity.state["status"])
        if move is not None:
            self._open.append((entity, move))
        return Change(
            number=self._changed,
            event_id=new_id(self._random, "evt"),
            event_type=f"{entity.kind.name}.{verb}",
            entity_type=entity.kind.name,
            entity_id=entity.state["id"],
            version=entity.state["version"],
            occurred_us=self._last_us,
            deleted=verb == DELETED,
            rests=move is None,
            state=entity.state,
        )

    def _take_open(self) -> tuple[Entity, Move]:
        """Take one of those that will still move; the last fills the gap, to stay O(1)."""
        index = self._random.randrange(len(self._open))
        taken, self._open[index] = self._open[index], self._open[-1]
        self._open.pop()
        return taken

    def _pick(self, name: str) -> str | None:
        collection = self.collections.get(name)
        if collection is None or not collection.entities:
            return None
        return self._random.choice(list(collection.entities))


def timestamp(instant_us: int) -> str:
    """Return RFC 3339 with microseconds and `Z`, as in `updated_at`."""
    text = to_datetime(instant_us).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"
