"""What can be said of each change (rules 6 to 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import (
    NAT,
    NEVER,
    Array,
    any_of,
    is_time,
    later,
    least_of,
    most_of,
)
from webhooklab.comparison.grouping import Groups
from webhooklab.comparison.polling import Poller, covers
from webhooklab.comparison.versions import MIXED, ORDERED

VERDICTS: Final = ("both", "push_only", "poll_only", "pending", "unknown")
BOTH, PUSH_ONLY, POLL_ONLY, PENDING, UNKNOWN = range(5)
REASONS: Final = (
    *("baseline", "not listening", "not polled", "nothing ever pushed", "thin", "ambiguous id"),
    *("versions do not compare", "invalid signature only"),
)
BASELINE, NOT_LISTENING, NOT_POLLED, NOTHING_PUSHED, THIN, AMBIGUOUS, INCOMPARABLE, INVALID_ONLY = (
    range(8)
)
NO_REASON: Final = -1


@dataclass
class Evidence:
    """All that the verdicts look at, per change unless said otherwise. Times in us.

    `works_since` is when the first push about an entity of this kind came that polls also saw.
    `invalid`, `thin`, `unclear`, `foreign`: an event of that sort may have announced the change.
    `covering`: the poller of this kind that would show an entity which none has shown yet.
    """

    groups: Groups
    kind: Array
    ambiguous: Array
    works_since: Array
    invalid: Array
    thin: Array
    unclear: Array
    foreign: Array
    returned: Array
    entity_polled: Array
    absent_before: Array
    last_seen: Array
    covering: Array
    pollers: dict[int, Poller]
    spans: tuple[Array, Array]
    deletion_received: Array
    first_received: Array
    grace: int
    now: int


def judge(evidence: Evidence) -> tuple[Array, Array]:
    """The verdict and the reason of each change, as positions in `VERDICTS` and `REASONS`."""
    groups = evidence.groups
    verdict = np.full(len(groups.entity), UNKNOWN, "i1")
    reason = np.full(len(groups.entity), NO_REASON, "i1")
    pushed, polled = groups.pushed, groups.polled_at_all
    verdict[pushed & polled] = BOTH
    for rows, rule in ((pushed & ~polled, _overlooked), (polled & ~pushed, _missed)):
        at = np.flatnonzero(rows)
        if len(at):
            verdict[at], reason[at] = rule(evidence, at)
    for rows, why in (
        (evidence.kind == MIXED, INCOMPARABLE),
        (evidence.ambiguous, AMBIGUOUS),
    ):
        verdict[rows], reason[rows] = UNKNOWN, why
    return verdict, reason


def _select(
    count: int, cases: list[tuple[Array, int, int]], otherwise: tuple[int, int]
) -> tuple[Array, Array]:
    """The verdict and reason of the first case that holds."""
    verdict = np.full(count, otherwise[0], "i1")
    reason = np.full(count, otherwise[1], "i1")
    for holds, what, why in reversed(cases):
        verdict[holds], reason[holds] = what, why
    return verdict, reason


def _missed(evidence: Evidence, at: Array) -> tuple[Array, Array]:
    """Seen by polls, never pushed (rule 9)."""
    groups, grace = evidence.groups, evidence.grace
    not_seen, polled = groups.not_seen[at], groups.polled[at]
    gone_again = groups.deletion[at] & evidence.returned[at]
    timed = is_time(polled)
    listened = timed & covers(evidence.spans, not_seen, later(polled, grace))
    return _select(
        len(at),
        [
            (timed & (evidence.now - polled < grace), PENDING, NO_REASON),
            (evidence.invalid[at], UNKNOWN, INVALID_ONLY),
            (evidence.thin[at], UNKNOWN, THIN),
            (evidence.unclear[at] | gone_again, UNKNOWN, INCOMPARABLE),
            (~listened, UNKNOWN, NOT_LISTENING),
            (~(evidence.works_since[at] < not_seen), UNKNOWN, NOTHING_PUSHED),
            (evidence.foreign[at], UNKNOWN, INCOMPARABLE),
        ],
        (POLL_ONLY, NO_REASON),
    )


def _overlooked(evidence: Evidence, at: Array) -> tuple[Array, Array]:
    """Pushed, never seen by polls (rule 8)."""
    older, newer = _neighbours(evidence)
    older, newer = older[at], newer[at]
    kind, seen = evidence.kind[at], evidence.entity_polled[at]
    polled_since = evidence.last_seen[at] > evidence.groups.received[at]
    unordered = (kind != ORDERED) & ~evidence.groups.deletion[at]
    verdict, reason = _select(
        len(at),
        [
            (older & newer, PUSH_ONLY, NO_REASON),
            (newer, UNKNOWN, BASELINE),
            (unordered & polled_since, UNKNOWN, INCOMPARABLE),
        ],
        (PENDING, NO_REASON),
    )
    if not seen.all():
        verdict[~seen], reason[~seen] = _never_seen(evidence, at[~seen])
    return verdict, reason


def _neighbours(evidence: Evidence) -> tuple[Array, Array]:
    """Whether polls showed an older state of the entity (absence counts), and a newer one."""
    groups = evidence.groups
    entity, count = groups.entity, int(groups.entity.max()) + 1
    number = np.arange(len(entity))
    shown = groups.polled_at_all
    ordered = evidence.kind == ORDERED
    first = least_of(number[shown], entity[shown], count)[entity]
    last = most_of(number[shown], entity[shown], count)[entity]
    gone = any_of(shown & groups.deletion, entity, count)[entity] & ~groups.deletion
    older = evidence.absent_before | (ordered & (first < number))
    newer = np.where(ordered, last > number, gone)
    return older, newer


def _never_seen(evidence: Evidence, at: Array) -> tuple[Array, Array]:
    """Judge entities that no poll ever showed: created and deleted between two (rule 13)."""
    poller = evidence.covering[at]
    lists = np.array([*(p.is_list for p in evidence.pollers.values()), False])[poller]
    first = np.array([*(p.first_complete for p in evidence.pollers.values()), NEVER])[poller]
    last = np.array([*(p.last_complete for p in evidence.pollers.values()), NAT])[poller]
    deleted, began = evidence.deletion_received[at], evidence.first_received[at]
    looked_since = last > np.where(deleted == NAT, evidence.groups.received[at], deleted)
    return _select(
        len(at),
        [
            (~lists, UNKNOWN, NOT_POLLED),
            (~looked_since, PENDING, NO_REASON),
            (deleted == NAT, UNKNOWN, NOT_POLLED),
            (first >= began, UNKNOWN, BASELINE),
        ],
        (PUSH_ONLY, NO_REASON),
    )


def names(positions: Array, words: tuple[str, ...]) -> pd.Series:
    """Positions as text; -1 is NA."""
    return pd.Series(pd.array(words, dtype="str").take(positions, allow_fill=True))
