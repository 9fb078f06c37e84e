"""Deletions: which vanishings are changes, and what they are newer than (rule 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from webhooklab.comparison.arrays import NAT, NEVER, Array, any_of, least_of, most_of
from webhooklab.comparison.coded import Coded
from webhooklab.comparison.deleting import last_word
from webhooklab.comparison.sides import Pulls, Pushes
from webhooklab.comparison.versions import ORDERED

_KEEPING: Final = frozenset(
    [
        "create",
        "created",
        "update",
        "updated",
        "change",
        "changed",
        "edit",
        "edited",
        "modified",
        "opened",
        "reopened",
        "added",
        "assigned",
        "labeled",
        "renamed",
        "moved",
        "paid",
        "shipped",
        "captured",
        "refunded",
        "fulfilled",
    ]
)
"""Verbs after which an entity is still there for whoever lists it."""


def keeps(event_type: Coded) -> Array:
    """Where the type's last word says that the entity stays on every list."""
    return event_type.which(lambda text: last_word(text) in _KEEPING)


@dataclass
class Vanishings:
    """`keep` per pull (False: a deletion row that is no change, or an earlier one).

    Per entity: `blip`, it vanished and came back with nothing newer; `returned`, it came back
    changed; `floor`, the greatest version that polls showed before it vanished.
    """

    keep: Array
    blip: Array
    returned: Array
    floor: Array


def vanishings(pulls: Pulls, entity: Array, key: Array, kind: Array) -> Vanishings:
    """Judge the deletions that polls inferred. `key` is per pull, comparable per entity."""
    gone, count = pulls.deletion, len(kind)
    nothing = np.zeros(count, bool)
    if not gone.any():
        floor = np.full(count, NAT)
        return Vanishings(np.ones(len(pulls), bool), nothing, nothing.copy(), floor)
    alive_until = most_of(np.maximum(pulls.polled, pulls.last_seen)[~gone], entity[~gone], count)
    stays = gone & (pulls.polled > alive_until[entity])
    stayed = any_of(stays, entity, count)
    keep = ~gone | stays | ~stayed[entity]
    last = most_of(pulls.polled[gone], entity[gone], count)
    before = ~gone & (pulls.polled < last[entity])
    floor = most_of(key[before], entity[before], count)
    came_back = any_of(gone, entity, count) & ~stayed
    returned = came_back & any_of(~gone & _is_new(pulls, entity, key, kind), entity, count)
    return Vanishings(keep, came_back & ~returned, returned, floor)


def _is_new(pulls: Pulls, entity: Array, key: Array, kind: Array) -> Array:
    """Versions that no poll had shown before the entity first vanished, and that are not older."""
    gone, count = pulls.deletion, len(kind)
    first = least_of(pulls.polled[gone], entity[gone], count)[entity]
    concerned = ~gone & (first != NEVER)
    before, after = concerned & (pulls.polled < first), concerned & (pulls.polled > first)
    most = most_of(key[before], entity[before], count)[entity]
    known = set(zip(entity[before].tolist(), key[before].tolist(), strict=True))
    fresh = np.zeros(len(pulls), bool)
    pairs = zip(entity[after].tolist(), key[after].tolist(), strict=True)
    fresh[after] = [pair not in known for pair in pairs]
    fresh &= (kind[entity] != ORDERED) | (key > most)
    return fresh


def deletion_keys(
    pushes: Pushes,
    entity: Array,
    own_key: Array,
    *,
    readable: Array,
    kind: Array,
    seen: Vanishings,
    highest: int,
) -> Array:
    """Per entity the version that its deletion follows; above all where nothing says otherwise.

    `own_key` and `readable` are per push: the version that a deletion's event names itself.
    """
    count = len(kind)
    told = pushes.deletion & pushes.counts & readable & (kind[entity] == ORDERED)
    own = most_of(own_key[told], entity[told], count)
    anchored = (own != NAT) | (seen.returned & (kind == ORDERED))
    anchor = np.maximum(own, seen.floor)
    return np.where(anchored & (anchor != NAT), anchor, highest)
