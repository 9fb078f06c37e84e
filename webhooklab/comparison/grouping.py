"""Sightings become changes: one per (entity, version), sorted by entity and version (rule 5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from webhooklab.comparison.arrays import (
    NAT,
    NEVER,
    Array,
    follow,
    is_time,
    order_by,
    sorted_least,
    starts,
)
from webhooklab.comparison.sides import Pulls, Pushes
from webhooklab.comparison.thin import Fetched


@dataclass
class Groups:
    """Changes as columns, ordered by entity and, where versions have an order, by version.

    `first_push`, `first_pull` and `first_fetch` are positions among theirs, -1 where there is
    none. Times in us, `NEVER` where there is none; `not_seen` is `NAT` for a baseline (rule 6).
    `pushes` are the positions of all pushes, sorted by change; `change` is theirs.
    """

    entity: Array
    deletion: Array
    push_count: Array
    first_push: Array
    received: Array
    first_pull: Array
    polled: Array
    not_seen: Array
    first_fetch: Array
    fetched: Array
    pushes: Array
    change: Array

    @cached_property
    def pushed(self) -> Array:
        """Which changes a delivery that takes part announced."""
        return self.push_count > 0

    @cached_property
    def polled_at_all(self) -> Array:
        """Which changes a poll showed."""
        return self.first_pull >= 0

    @property
    def baseline(self) -> Array:
        """Which were there when the polls began (rule 6)."""
        baseline: Array = self.polled_at_all & (self.not_seen == NAT)
        return baseline


@dataclass
class Sightings:
    """The rows that name a version: positions, entity, key and whether it is a deletion."""

    rows: Array
    entity: Array
    key: Array
    deletion: Array

    def only(self, at: Array) -> Sightings:
        """Some of them."""
        return Sightings(self.rows[at], self.entity[at], self.key[at], self.deletion[at])


def group(sightings: list[Sightings], pushes: Pushes, pulls: Pulls, fetched: Fetched) -> Groups:
    """Put the sightings (pushes, pulls, fetches) that share entity and version into one change."""
    entity = np.concatenate([side.entity for side in sightings])
    deletion = np.concatenate([side.deletion for side in sightings])
    key = np.concatenate([side.key for side in sightings])
    if deletion.any():
        key = key * 2 + deletion  # newer than the version that it follows
    order, new = order_by(entity, key)
    begins = np.flatnonzero(new)
    grouped = _Grouped(sightings, order, np.cumsum(new) - 1)
    (at, change), pull, answer = (grouped.side(number) for number in range(3))
    first_push, received = _first(at, change, pushes.received, len(begins))
    first_pull, polled = _first(*pull, pulls.polled, len(begins))
    first_fetch, answered = _first(*answer, fetched.fetched, len(begins))
    return Groups(
        entity=entity[order[begins]],
        deletion=deletion[order[begins]],
        push_count=np.bincount(change, minlength=len(begins)),
        first_push=first_push,
        received=received,
        first_pull=first_pull,
        polled=polled,
        not_seen=_not_seen(*pull, first_pull, polled, pulls),
        first_fetch=first_fetch,
        fetched=answered,
        pushes=at,
        change=change,
    )


@dataclass
class _Grouped:
    """All sightings in the order of their changes; `change` is per place in that order."""

    sightings: list[Sightings]
    order: Array
    change: Array

    def side(self, number: int) -> tuple[Array, Array]:
        """The rows of one side in order, as positions in its frame, and their changes."""
        before = sum(len(side.rows) for side in self.sightings[:number])
        rows = self.sightings[number].rows
        if not len(rows):
            return rows, rows
        mine = self.order < before + len(rows)
        if before:
            mine &= self.order >= before
        own = np.flatnonzero(mine)
        return rows[self.order[own] - before], self.change[own]


def _first(rows: Array, change: Array, values: Array, count: int) -> tuple[Array, Array]:
    """Per change its row with the least value, the earlier one in a tie, and the value."""
    found = np.full(count, -1)
    if not len(rows):
        return found, np.full(count, NEVER)
    found[change] = rows
    begins = starts(change)
    if not begins.all():  # few have several: these are put in order
        several = ~begins
        several[:-1] |= several[1:]
        rows, change = rows[several], change[several]
        order = np.lexsort((rows, values[rows], change))
        first = order[starts(change)]
        found[change[first]] = rows[first]
    return found, np.where(found >= 0, values[found], NEVER)


def _not_seen(rows: Array, change: Array, first_pull: Array, polled: Array, pulls: Pulls) -> Array:
    """The first sighting's `not_seen_at`; for a baseline another poller's earlier proof."""
    if not len(pulls):
        return np.full(len(first_pull), NAT)
    not_seen = np.where(first_pull >= 0, pulls.not_seen[first_pull], NAT)
    bare = (first_pull >= 0) & (not_seen == NAT)
    if not bare.any():
        return not_seen
    said = pulls.not_seen[rows]
    other = pulls.poller[rows] != pulls.poller[first_pull[change]]
    proof = other & bare[change] & is_time(said) & (said < polled[change])
    earliest = sorted_least(np.where(proof, said, NEVER), change, len(first_pull))
    return np.where(bare & (earliest != NEVER), earliest, not_seen)


def proved_absent(groups: Groups, ordered: Array) -> Array:
    """`not_seen`, as far as the order of the versions bears it out (rule 1).

    Of a state that polls showed after a newer one, as a lagging replica does, it is known only
    that it was not there yet when the newer one was not. `ordered`: which changes compare by order.
    """
    at = np.flatnonzero(ordered & groups.polled_at_all)
    entity, polled, not_seen = groups.entity[at], groups.polled[at], groups.not_seen[at]
    goes_back = (polled[1:] < polled[:-1]) & (entity[1:] == entity[:-1])
    if not goes_back.any():
        return groups.not_seen
    proved = groups.not_seen.copy()
    newer_first = follow(polled, entity) < polled
    proved[at[newer_first]] = np.minimum(not_seen, follow(not_seen, entity))[newer_first]
    return proved
