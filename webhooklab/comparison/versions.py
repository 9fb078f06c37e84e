"""Versions as numbers that compare within an entity (rule 4)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd

from webhooklab.comparison import reading
from webhooklab.comparison.arrays import Array, any_of, most_of
from webhooklab.comparison.reading import (
    INSTANT,
    INTEGER,
    LONG_INSTANT,
    LONG_NUMBER,
    NONE,
    TOKEN,
    Readings,
)

ORDERED, OPAQUE, MIXED, RUNS = range(4)
"""How the versions of an entity compare: by order, by equality, not at all, or there are none."""

_YEAR_2000: Final = 946_684_800


@dataclass
class Versions:
    """`key` per row: equal and ordered as the versions of one entity are. `kind` per entity."""

    key: Array
    kind: Array


def versions(
    readings: Readings, entity: Array, count: int, *, pull: Array, rows: Array
) -> Versions:
    """Compare the versions of each of `count` entities, whose kind the `rows` tell.

    `pull` marks the rows of the polls' side: instants are compared at the coarser side's
    precision.
    """
    found = _Reader(readings, entity, count, pull, rows)
    kind = found.kinds()
    key = found.truncated()
    found.spell_out(key, kind)
    plain = np.isin(kind[entity], (OPAQUE, MIXED))
    if plain.any():
        key[plain] = pd.factorize(readings.text[plain])[0]
    return Versions(key, kind)


@dataclass
class _Reader:
    readings: Readings
    entity: Array
    count: int
    pull: Array
    rows: Array

    def _have(self, *kinds: int) -> Array:
        """The entities with a text of these kinds among the rows that tell."""
        return any_of(self.rows & np.isin(self.readings.kind, kinds), self.entity, self.count)

    def kinds(self) -> Array:
        """How the versions of each entity compare, as far as their texts tell one by one."""
        kind = np.full(self.count, ORDERED, "i1")
        if (self.readings.kind == TOKEN).any():
            tokens = self._have(TOKEN)
            read = self._have(INTEGER, INSTANT, LONG_NUMBER, LONG_INSTANT)
            kind[tokens] = np.where(read[tokens], MIXED, OPAQUE)
        return kind

    def truncated(self) -> Array:
        """The values; instants cut to the coarser side's precision, where the sides differ."""
        key, readings = self.readings.value.copy(), self.readings
        instant = readings.kind == INSTANT
        digits = readings.digits[instant]
        if len(digits) and (digits != digits[0]).any():
            unit = 10 ** (6 - self._coarser(instant & self.rows)[self.entity[instant]])
            key[instant] -= key[instant] % unit
        return key

    def _coarser(self, told: Array) -> Array:
        """Digits that both sides of an entity have; a side's are the most that it ever writes."""
        sides = [
            most_of(self.readings.digits[side].astype("i8"), self.entity[side], self.count)
            for side in (told & ~self.pull, told & self.pull)
        ]
        known = [np.where(side < 0, 18, side) for side in sides]
        coarser: Array = np.minimum(np.minimum(known[0], known[1]), 6)
        return coarser

    def spell_out(self, key: Array, kind: Array) -> None:
        """Read the few entities whose texts are long, or of two forms, one by one."""
        rare = self._rare() & (kind == ORDERED)
        if not rare.any():
            return
        legible = ~np.isin(self.readings.kind, (NONE, TOKEN))
        at = np.flatnonzero(rare[self.entity] & legible)
        order = np.argsort(self.entity[at], kind="stable")
        numbers, starts = np.unique(self.entity[at][order], return_index=True)
        for number, chosen in zip(numbers, np.split(at[order], starts[1:]), strict=True):
            exact = _exact(self.readings, chosen, self.rows[chosen], self.pull)
            if exact is None:
                kind[number] = MIXED
            else:
                ranks = {value: rank for rank, value in enumerate(sorted(set(exact.values())))}
                key[list(exact)] = [ranks[value] for value in exact.values()]

    def _rare(self) -> Array:
        long = np.isin(self.readings.kind, (LONG_NUMBER, LONG_INSTANT))
        rare = any_of(long, self.entity, self.count)
        if (self.readings.kind == INTEGER).any():
            if (self.readings.kind == INSTANT).any():
                rare |= self._have(INTEGER) & self._have(INSTANT)
            rare |= self._two_units()
        return rare

    def _two_units(self) -> Array:
        """Entities whose integers can be s and ms since 1970, some the one and some the other."""
        value = self.readings.value
        whole = self.rows & (self.readings.kind == INTEGER) & (value > _YEAR_2000)
        if not (whole & (value > 1000 * _YEAR_2000)).any():
            return np.zeros(self.count, bool)
        sizes = [
            any_of(whole & ((value < 10**11) == small), self.entity, self.count)
            for small in (True, False)
        ]
        return sizes[0] & sizes[1]


def _exact(
    readings: Readings, at: Array, telling: Array, pull: Array
) -> dict[int, Fraction] | None:
    """Exact values that compare, by row; None for a number beside an instant that it cannot be."""
    texts = dict(zip(at.tolist(), readings.text.iloc[at], strict=True))
    is_number = np.isin(readings.kind, (INTEGER, LONG_NUMBER))
    kinds = set(readings.kind[at[telling]].tolist())
    if kinds <= {INTEGER, LONG_NUMBER} and not _are_epochs(
        [texts[row] for row in at[telling]], kinds
    ):
        return {row: Fraction(text) for row, text in texts.items() if is_number[row]}
    read = {
        row: reading.epoch(text) if is_number[row] else reading.exact_instant(text)
        for row, text in texts.items()
    }
    if any(read[row] is None for row in at[telling]):
        return None
    known = {row: each for row, each in read.items() if each is not None}
    return _cut(known, {row: bool(pull[row]) for row in at[telling].tolist()})


def _are_epochs(texts: list[str], kinds: set[int]) -> bool:
    """Whether integers are instants: all can be, and some are s, some ms since 1970."""
    if kinds != {INTEGER}:
        return False
    read = [reading.epoch(text) for text in texts]
    return None not in read and len({each[1] for each in read if each}) > 1


def _cut(read: dict[int, tuple[int, int]], pull: dict[int, bool]) -> dict[int, Fraction]:
    """Instants in 10^-18 s, cut to the digits that both sides have; `pull`: of those that tell."""
    sides = [
        max((read[row][1] for row, there in pull.items() if there == side), default=18)
        for side in (True, False)
    ]
    unit = 10 ** (18 - min(18, *sides))
    return {row: Fraction(value // unit) for row, (value, _) in read.items()}
