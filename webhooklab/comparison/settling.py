"""From two sides to judged changes: the rules in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison import coverage, flags, polling, verdicts
from webhooklab.comparison.announcing import announcements
from webhooklab.comparison.arrays import NAT, NEVER, Array, any_of, least_of, most_of
from webhooklab.comparison.flags import Flags
from webhooklab.comparison.grouping import Groups, group, proved_absent
from webhooklab.comparison.matter import Matter
from webhooklab.comparison.sighting import sightings
from webhooklab.comparison.versions import ORDERED


@dataclass
class Settled:
    """The changes, sorted, each with its verdict, reason and flags; `rows` are those that show."""

    matter: Matter
    groups: Groups
    verdict: Array
    reason: Array
    flags: Flags
    rows: Array


def settle(matter: Matter, listening: pd.DataFrame | None) -> Settled:
    """Judge every change."""
    groups = group(sightings(matter), matter.pushes, matter.pulls, matter.fetched)
    kind = matter.versions.kind[groups.entity]
    ordered = (kind == ORDERED) & ~matter.known.ambiguous[groups.entity]
    groups.not_seen = proved_absent(groups, ordered)
    if not len(groups.entity):
        verdict = reason = np.empty(0, "i1")
    else:
        verdict, reason = verdicts.judge(_evidence(matter, groups, kind, listening))
    shown = groups.pushed | (
        groups.polled_at_all
        & ~groups.baseline
        & ~(groups.deletion & matter.vanished.blip[groups.entity])
    )
    return Settled(
        matter=matter,
        groups=groups,
        verdict=verdict,
        reason=reason,
        flags=flags.flags(groups, kind, matter.pushes),
        rows=np.flatnonzero(shown),
    )


def _evidence(
    matter: Matter, groups: Groups, kind: Array, listening: pd.DataFrame | None
) -> verdicts.Evidence:
    pushes, pulls, known = matter.pushes, matter.pulls, matter.known
    entity, count = groups.entity, known.count
    works = np.append(coverage.works_since(pushes, pulls, known), NEVER)[groups.first_pull]
    polled = any_of(np.ones(len(pulls), bool), known.pulled, count)
    invalid, thin_, unclear, foreign = announcements(matter, groups, kind)
    unseen = np.flatnonzero(groups.pushed & ~polled[entity])
    covering = np.full(len(entity), -1)
    covering[unseen] = coverage.covering(
        pushes, pulls, known, matter.pollers, groups.first_push[unseen]
    )
    first = least_of(pulls.polled, known.pulled, count)
    proof = (pulls.not_seen != NAT) & (pulls.polled == first[known.pulled])
    gone = groups.deletion & groups.pushed
    return verdicts.Evidence(
        groups=groups,
        kind=kind,
        ambiguous=known.ambiguous[entity],
        works_since=works,
        invalid=invalid,
        thin=thin_,
        unclear=unclear,
        foreign=foreign,
        returned=matter.vanished.returned[entity],
        entity_polled=polled[entity],
        absent_before=any_of(proof, known.pulled, count)[entity],
        last_seen=most_of(pulls.last_seen, known.pulled, count)[entity],
        covering=covering,
        pollers=matter.pollers,
        spans=polling.listened(listening),
        deletion_received=most_of(groups.received[gone], entity[gone], count)[entity],
        first_received=least_of(groups.received, entity, count)[entity],
        grace=matter.grace,
        now=matter.now,
    )
