"""Both sides read, their entities matched, their versions made comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison import polling, reading, runs, sides, thin, vanishing
from webhooklab.comparison.arrays import Array, any_of
from webhooklab.comparison.identity import Identities, identify
from webhooklab.comparison.polling import Poller
from webhooklab.comparison.reading import NONE, Readings
from webhooklab.comparison.runs import NO_KEY, Runs
from webhooklab.comparison.sides import Pulls, Pushes
from webhooklab.comparison.thin import Fetched
from webhooklab.comparison.vanishing import Vanishings
from webhooklab.comparison.versions import MIXED, ORDERED, RUNS, Versions, versions


@dataclass
class Matter:
    """What is compared, read and matched; `kind`, `key` and `runs` say how versions compare.

    `key` is of the pushes, then of the pulls.
    """

    pushes: Pushes
    pulls: Pulls
    known: Identities
    pollers: dict[int, Poller]
    fetched: Fetched
    readings: Readings
    versions: Versions
    runs: Runs
    vanished: Vanishings
    grace: int
    now: int

    @property
    def meets(self) -> bool:
        """Whether any entity that takes part occurs on both sides."""
        pushed = any_of(self.pushes.counts, self.known.pushed, self.known.count)
        return bool(pushed[self.known.pulled].any())

    @property
    def unversioned(self) -> Array:
        """Per push whether it names no version that counts (rule 12) and is no deletion."""
        inside = self.runs.entities[self.known.pushed]
        found: Array = ~self.pushes.own | (inside & ~self.pushes.deletion)
        return found

    @property
    def thin(self) -> Array:
        """Per push that takes part whether it says nothing of the state (rule 11)."""
        inside = self.runs.entities[self.known.pushed]
        silent: Array = np.where(inside, self.runs.stateless, ~self.pushes.own)
        return self.pushes.counts & silent


def prepare(
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    polls: pd.DataFrame | None,
    fetches: pd.DataFrame | None,
    *,
    grace: int,
    now: int,
) -> Matter:
    """Read both sides, match their entities and make their versions comparable."""
    pushes, pulls = sides.pushes(events), sides.pulls(snapshots)
    known = identify(pushes, pulls)
    pollers = polling.pollers(pulls, polls, known.pulled)
    fetched = thin.successful(fetches, pushes, known)
    thin.lend_versions(pushes, known, fetched)
    readings = reading.read(pushes.version, pulls.version, fetched.version)
    found, lacking = _find_runs(pushes, pulls, known, readings, grace)
    compared = _versions(pushes, pulls, known, fetched, readings, found=found, lacking=lacking)
    if pulls.deletion.any() or found.entities.any() or (compared.kind != ORDERED).any():
        polling.extend_last_seen(pulls, pollers, known.pulled)
    vanished = vanishing.vanishings(
        pulls, known.pulled, compared.key[len(pushes) :][: len(pulls)], compared.kind
    )
    return Matter(
        pushes, pulls, known, pollers, fetched, readings, compared, found, vanished, grace, now
    )


def _find_runs(
    pushes: Pushes, pulls: Pulls, known: Identities, readings: Readings, grace: int
) -> tuple[Runs, Array]:
    """The runs of entities without versions (rule 12), and which entities lack some in part."""
    named = readings.kind != NONE
    push, pull = pushes.counts & ~pushes.deletion, ~pulls.deletion
    own = named[: len(pushes)][push], named[len(pushes) :][: len(pulls)][pull]
    entity = known.pushed[push], known.pulled[pull]
    nothing = np.zeros(known.count, bool)
    if own[0].all() and own[1].all():
        return runs.find_runs(pushes, pulls, (known.pushed, known.pulled), nothing, grace), nothing
    asked = runs.without_versions(*entity, own, known.count)
    found = runs.find_runs(pushes, pulls, (known.pushed, known.pulled), asked, grace)
    return found, any_of(~own[1], entity[1], known.count) & ~found.entities


def _versions(
    pushes: Pushes,
    pulls: Pulls,
    known: Identities,
    fetched: Fetched,
    readings: Readings,
    *,
    found: Runs,
    lacking: Array,
) -> Versions:
    """Keys of all rows; a state shown without a version, among versions, compares with none."""
    entity = np.concatenate([known.pushed, known.pulled, fetched.entity])
    answer = np.ones(len(fetched.entity), bool)
    telling = np.concatenate([pushes.counts & ~pushes.deletion, ~pulls.deletion, answer])
    pull = np.repeat([False, True], [len(pushes), len(entity) - len(pushes)])
    compared = versions(readings, entity, known.count, pull=pull, rows=telling)
    compared.kind[lacking] = MIXED
    if found.entities.any():
        compared.kind[found.entities] = RUNS
        keys = np.concatenate([found.pushed, found.pulled, np.full(len(answer), NO_KEY)])
        inside = found.entities[entity]
        compared.key[inside] = keys[inside]
    return compared
