"""Which poller would show an entity that no poll has shown yet, and which kinds are pushed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import (
    NEVER,
    Array,
    any_of,
    is_time,
    least_of,
    numbered,
    texts,
)
from webhooklab.comparison.grouping import Groups
from webhooklab.comparison.identity import Identities
from webhooklab.comparison.polling import Poller
from webhooklab.comparison.sides import Pulls, Pushes

_Name = tuple[Any, Any]


def works_since(pushes: Pushes, pulls: Pulls, known: Identities) -> Array:
    """Per pull: when pushes were first known to work for its kind of entity (rule 9).

    That is the first delivery about an entity that the same poller saw, among those of one
    provider and type: of two repositories polled, the webhook may be registered at one only.
    """
    timed = pushes.counts & is_time(pushes.received)  # when it came is what this is about
    first = least_of(np.where(timed, pushes.received, NEVER), known.pushed, known.count)
    kind = _kinds(pulls)
    count = int(kind.max(initial=-1)) + 1
    works: Array = least_of(first[known.pulled], kind, count)[kind]
    return works


def versions_met(groups: Groups, pulls: Pulls) -> Array:
    """Per change that polls saw: whether any version of its kind of entity was pushed and polled.

    A kind is as for `works_since`.
    """
    kind = _kinds(pulls)
    met = groups.pushed & groups.polled_at_all & ~groups.deletion
    known = any_of(met, np.where(met, kind[groups.first_pull], 0), int(kind.max(initial=0)) + 1)
    return known[kind][groups.first_pull]


def _kinds(pulls: Pulls) -> Array:
    provider, entity_type = (pulls.coded(name).numbers + 1 for name in ("provider", "entity_type"))
    wide = entity_type.max(initial=0) + 1
    both: Array = (pulls.poller * (provider.max(initial=0) + 1) + provider) * wide + entity_type
    return both if int(both.max(initial=0)) < 1_000 else numbered(both)


def covering(
    pushes: Pushes, pulls: Pulls, known: Identities, pollers: dict[int, Poller], rows: Array
) -> Array:
    """The poller that would show the entity of each push in `rows`; -1 if none is known to."""
    if not len(rows) or not len(pulls):
        return np.full(len(rows), -1)
    shown = _shown_names(pushes, pulls, known)
    names = _names(pushes, rows)
    found = {name: _choose(name, shown, pollers) for name in set(names)}
    return np.array([found[name] for name in names], "i8")


def _names(pushes: Pushes, rows: Array) -> list[_Name]:
    parts = [texts(pushes.column(name, rows)) for name in ("provider", "entity_type")]
    cells = [part.astype(object).where(part.notna(), None) for part in parts]
    return list(zip(*cells, strict=True))


def _shown_names(pushes: Pushes, pulls: Pulls, known: Identities) -> dict[int, set[_Name]]:
    """Per poller the (provider, type) of what it shows: by its own word, and by the pushes'."""
    own = pd.DataFrame(
        {
            "poller": pulls.poller,
            "provider": texts(pulls.column("provider")),
            "type": texts(pulls.column("entity_type")),
            "entity": known.pulled,
        }
    )
    shown: dict[int, set[_Name]] = {int(number): set() for number in own["poller"].unique()}
    for number, provider, kind in own[["poller", "provider", "type"]].drop_duplicates().values:
        if pd.notna(kind):
            shown[number].add((None if pd.isna(provider) else provider, kind))
    unnamed = own[own["type"].isna()][["poller", "entity"]].drop_duplicates()
    for number, name in _as_pushed(pushes, known, unnamed):
        shown[number].add(name)
    return shown


def _as_pushed(pushes: Pushes, known: Identities, unnamed: pd.DataFrame) -> list[tuple[int, _Name]]:
    """What the pushes call the entities of pollers that do not name a type."""
    counting = np.flatnonzero(pushes.counts)
    first = least_of(counting, known.pushed[counting], known.count)
    row = first[unnamed["entity"].to_numpy()]
    pushed = row != NEVER
    names = _names(pushes, row[pushed])
    return list(set(zip(unnamed["poller"].to_numpy()[pushed].tolist(), names, strict=True)))


def _choose(name: _Name, shown: dict[int, set[_Name]], pollers: dict[int, Poller]) -> int:
    """A poller of a list that shows this sort of entity, else any that does."""
    fits = [number for number, names in shown.items() if any(_agree(name, n) for n in names)]
    lists = [number for number in fits if pollers[number].is_list]
    return max(lists, key=lambda n: pollers[n].last_complete) if lists else (fits or [-1])[0]


def _agree(one: _Name, other: _Name) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
