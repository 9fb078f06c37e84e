"""Entities without versions: a change is a run of equal states (rule 12).

States are compared by fingerprint: the canonical values of the paths that both sides have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from webhooklab.comparison.arrays import NAT, Array, any_of
from webhooklab.comparison.entity_states import State, leaves, tells
from webhooklab.comparison.fingerprints import Mark, Marker
from webhooklab.comparison.sides import Pulls, Pushes
from webhooklab.comparison.stated import pulled_states, pushed_states

NO_KEY = -1
_PART_ROWS: Final = 5_000
"""States in memory at one time, about."""
_Seen = tuple[int, dict[str, Any]]


@dataclass
class Runs:
    """Which run each push and pull belongs to, for the entities in `entities`.

    Keys are numbers within the entity, `NO_KEY` for a row that belongs to none. `stateless` are
    pushes with nothing to compare. `blocked` are pulls of runs that a push of unclear belonging
    may have announced.
    """

    entities: Array
    pushed: Array
    pulled: Array
    stateless: Array
    blocked: Array


@dataclass
class _Run:
    fingerprint: Mark
    not_seen: int
    polled: int
    rows: list[int] = field(default_factory=list)

    def may_hold(self, received: int, grace: int) -> bool:
        return self.not_seen < received <= self.polled + grace

    def may_concern(self, received: int, grace: int) -> bool:
        """Nobody knows when an event without a time came."""
        return received == NAT or self.may_hold(received, grace)


def without_versions(
    push_entity: Array, pull_entity: Array, versioned: tuple[Array, Array], count: int
) -> Array:
    """Which entities have a side that never names a version, among the rows that could.

    The entities of the arrays are those of rows that take part and are no deletions.
    """
    pushed = any_of(np.ones(len(push_entity), bool), push_entity, count)
    pulled = any_of(np.ones(len(pull_entity), bool), pull_entity, count)
    push_known = any_of(versioned[0], push_entity, count)
    pull_known = any_of(versioned[1], pull_entity, count)
    missing: Array = (pushed & ~push_known) | (pulled & ~pull_known)
    return missing


def find_runs(
    pushes: Pushes, pulls: Pulls, entity: tuple[Array, Array], asked: Array, grace: int
) -> Runs:
    """Assign the rows of the entities that `asked` marks."""
    runs = Runs(
        entities=np.zeros(len(asked), bool),
        pushed=np.full(len(pushes), NO_KEY),
        pulled=np.full(len(pulls), NO_KEY),
        stateless=np.zeros(len(pushes), bool),
        blocked=np.zeros(len(pulls), bool),
    )
    if not asked.any():
        return runs
    push_rows = np.flatnonzero(asked[entity[0]] & pushes.counts & ~pushes.deletion)
    pull_rows = np.flatnonzero(asked[entity[1]] & ~pulls.deletion)
    sides = _Sides(pushes, pulls, pulls.version.notna().to_numpy(), grace)
    for push_part, pull_part in _parts(entity, (push_rows, pull_rows), len(asked)):
        pushed = _by_entity(entity[0], push_part, pushed_states(pushes, push_part))
        pulled = _by_entity(entity[1], pull_part, pulled_states(pulls, pull_part))
        marker = Marker()
        for number in pushed.keys() | pulled.keys():
            events, states = pushed.get(number, []), pulled.get(number, [])
            if _Entity(runs, sides, marker).assign(events, states):
                runs.entities[number] = True
    return runs


def _parts(
    entity: tuple[Array, Array], rows: tuple[Array, Array], count: int
) -> Iterator[tuple[Array, Array]]:
    """The rows of both sides, of so few entities at a time that their states need little memory."""
    owners = entity[0][rows[0]], entity[1][rows[1]]
    sizes = np.bincount(owners[0], minlength=count) + np.bincount(owners[1], minlength=count)
    part = np.cumsum(sizes) // _PART_ROWS
    for number in np.unique(part[np.concatenate(owners)]):
        yield rows[0][part[owners[0]] == number], rows[1][part[owners[1]] == number]


def _by_entity(
    entity: Array, rows: Array, states: Iterable[State | None]
) -> dict[int, list[tuple[int, State | None]]]:
    groups: dict[int, list[tuple[int, State | None]]] = {}
    for row, state in zip(rows.tolist(), states, strict=True):
        groups.setdefault(int(entity[row]), []).append((row, state))
    return groups


@dataclass(frozen=True)
class _Sides:
    pushes: Pushes
    pulls: Pulls
    versioned: Array
    grace: int


class _Entity:
    """One entity's rows, put into runs."""

    def __init__(self, runs: Runs, sides: _Sides, marker: Marker) -> None:
        self._out, self._marker = runs, marker
        self._pushes, self._pulls, self._grace = sides.pushes, sides.pulls, sides.grace
        self._versioned = sides.versioned
        self._marks: dict[Mark, int] = {}

    def assign(
        self, events: list[tuple[int, State | None]], states: list[tuple[int, State | None]]
    ) -> bool:
        """Fill in the entity's rows; False if it is better seen by its polls' versions."""
        told, seen = self._told(events, states), self._seen(states)
        versioned = any(self._versioned[row] for row, _ in states)
        if not told and (versioned or not states):
            return False
        shared = _shared_paths(told, seen)
        found = self._number(seen, shared)
        marked = [(row, self._marker.fingerprint(state, shared)) for row, state in told]
        unclear = [event for event in marked if not self._belongs(*event, found)]
        self._block(found, unclear)
        if told and any(state is None for _, state in states):
            for run in found:  # where a state is not known, it may be the one that an event told
                self._out.blocked[run.rows] = True
        return True

    def _told(
        self, events: list[tuple[int, State | None]], states: list[tuple[int, State | None]]
    ) -> list[_Seen]:
        """The events that say something of the state; the others are thin."""
        known = [state for _, state in states if state is not None]
        told = []
        for row, state in events:
            if state and (not states or any(tells(state, each) for each in known)):
                told.append((row, leaves(state)))
            else:
                self._out.stateless[row] = True
        return told

    def _seen(self, states: list[tuple[int, State | None]]) -> list[_Seen]:
        """One poller's states in their order: two pollers' views of one life would interleave."""
        polled = sorted(states, key=lambda each: int(self._pulls.polled[each[0]]))
        chosen = {int(self._pulls.poller[row]) for row, _ in polled[:1]}
        own = [(r, state) for r, state in polled if int(self._pulls.poller[r]) in chosen]
        return [(row, leaves(state or {})) for row, state in own]

    def _number(self, seen: list[_Seen], shared: list[str]) -> list[_Run]:
        found: list[_Run] = []
        for row, state in seen:
            mark = self._marker.fingerprint(state, shared)
            if not found or found[-1].fingerprint != mark:
                polled, not_seen = int(self._pulls.polled[row]), int(self._pulls.not_seen[row])
                found.append(_Run(mark, not_seen, polled))
            found[-1].rows.append(row)
            self._out.pulled[row] = len(found) - 1
        return found

    def _belongs(self, row: int, mark: Mark, found: list[_Run]) -> bool:
        """Whether the event belongs to one run; else it makes a row of its own, or none."""
        received = int(self._pushes.received[row])
        fits = [
            number
            for number, run in enumerate(found)
            if run.fingerprint == mark and run.may_hold(received, self._grace)
        ]
        if len(fits) == 1:
            self._out.pushed[row] = fits[0]
        elif not fits:
            # Events that say the same share the row: far from the runs' numbers, by fingerprint.
            self._out.pushed[row] = len(found) + self._own_number(mark)
        return len(fits) == 1

    def _own_number(self, mark: Mark) -> int:
        return self._marks.setdefault(mark, len(self._marks))

    def _block(self, found: list[_Run], unclear: list[tuple[int, Mark]]) -> None:
        """Mark the runs that an unclear event may have announced: never a false `poll_only`."""
        for row, mark in unclear:
            received = int(self._pushes.received[row])
            for run in found:
                if run.fingerprint == mark or run.may_concern(received, self._grace):
                    self._out.blocked[run.rows] = True


def _shared_paths(told: list[_Seen], seen: list[_Seen]) -> list[str]:
    """The paths that both sides have; all of a side's where the other says nothing."""
    sides = [{path for _, state in side for path in state} for side in (told, seen)]
    if told and seen:
        return sorted(sides[0] & sides[1])
    return sorted(sides[0] | sides[1])
