"""Which changes that only polls saw may have been announced after all (rule 9)."""

from __future__ import annotations

import numpy as np

from webhooklab.comparison import coverage, reading, vanishing
from webhooklab.comparison.arrays import (
    NAT,
    Array,
    any_of,
    happen_between,
    is_time,
    later,
    most_of,
)
from webhooklab.comparison.deleting import says_deleting
from webhooklab.comparison.grouping import Groups
from webhooklab.comparison.matter import Matter
from webhooklab.comparison.sides import DELETED
from webhooklab.comparison.versions import ORDERED


def announcements(matter: Matter, groups: Groups, kind: Array) -> Array:
    """Which changes that only polls saw an event may concern that does not name them.

    Four rows of flags: an invalid event, a thin, an unclear, and one of a foreign version.
    """
    count = len(groups.entity)
    found = np.zeros((4, count), bool)
    at = np.flatnonzero(groups.polled_at_all & ~groups.pushed & ~groups.baseline)
    if not len(at):
        return found
    pushes, entity = matter.pushes, matter.known.pushed
    for position, rows in enumerate((pushes.invalid & matter.unversioned, matter.thin)):
        found[position, at] = _announced(
            groups, at, entity[rows], pushes.received[rows], matter.grace
        )
    found[0, at] |= _delivered_invalid(matter, groups, at)
    found[2, at] = matter.runs.blocked[groups.first_pull[at]]
    found[2] |= _explained(matter, groups, kind)
    found[3, at] = _foreign(matter, groups, at)
    return found


def _foreign(matter: Matter, groups: Groups, at: Array) -> Array:
    """Which of the changes `at` an event may concern whose version is another thing than polls'.

    It may be where no version of this kind of entity ever was on both sides: a time of sending
    against a time of the last update, say.
    """
    stray = (groups.pushed & ~groups.polled_at_all & ~groups.deletion)[groups.change]
    moments = matter.pushes.received[groups.pushes[stray]]
    owners = groups.entity[groups.change[stray]]
    found = _announced(groups, at, owners, moments, matter.grace)
    if found.any():
        found &= ~coverage.versions_met(groups, matter.pulls)[at]
    return found


def _announced(groups: Groups, at: Array, owners: Array, moments: Array, grace: int) -> Array:
    """Which of the changes `at` an event in (`not_seen_at`, `polled_at + grace`] may concern."""
    entity, until = groups.entity[at], later(groups.polled[at], grace)
    may_be_then = np.isin(entity, owners[~is_time(moments)])  # nobody knows when those came
    return may_be_then | happen_between(owners, moments, entity, groups.not_seen[at], until)


def _delivered_invalid(matter: Matter, groups: Groups, at: Array) -> Array:
    """Changes whose version an invalid delivery may have named."""
    rows = np.flatnonzero(matter.pushes.invalid & matter.pushes.own)
    entity = groups.entity[at]
    asked = np.flatnonzero(np.isin(entity, matter.known.pushed[rows]))
    found = np.zeros(len(at), bool)
    if not len(asked):
        return found
    text, gone = matter.readings.text, matter.pushes.deletion[rows]
    named = reading.Spellings()
    for row, deleted in zip(rows.tolist(), gone.tolist(), strict=True):
        named.add(int(matter.known.pushed[row]), DELETED if deleted else text.iloc[row])
    shown = text.iloc[len(matter.pushes) + groups.first_pull[at[asked]]]
    for position, version in zip(asked.tolist(), shown, strict=True):
        gone_now = groups.deletion[at[position]]
        found[position] = named.may_hold(int(entity[position]), DELETED if gone_now else version)
    return found


def _explained(matter: Matter, groups: Groups, kind: Array) -> Array:
    """Vanishings that an event explains which no poll showed: closed, archived, whatever.

    A list may show only what is open. Such an event is no deletion, but neither was the webhook
    of a deletion missed for certain. Nor was it where an event speaks of deleting, if perhaps not
    of the entity itself.
    """
    explained = np.zeros(len(groups.entity), bool)
    at = np.flatnonzero(groups.deletion & groups.polled_at_all & ~groups.pushed)
    if not len(at):
        return explained
    unseen = groups.pushed & ~groups.polled_at_all & ~groups.deletion
    newest = most_of(
        np.flatnonzero(groups.polled_at_all & ~groups.deletion),
        groups.entity[groups.polled_at_all & ~groups.deletion],
        matter.known.count,
    )[groups.entity]
    newer = (kind == ORDERED) & (np.arange(len(kind)) > newest)
    event_type = matter.pushes.coded("event_type").take(groups.pushes)
    of_push = groups.entity[groups.change]
    perhaps = says_deleting(event_type) & ~groups.deletion[groups.change]
    explained[at] = any_of(perhaps, of_push, matter.known.count)[groups.entity[at]]
    leaves = ~vanishing.keeps(event_type)
    for after, chosen in ((groups.not_seen, unseen), (np.full(len(kind), NAT), unseen & newer)):
        rows = leaves & chosen[groups.change]
        explained[at] |= happen_between(
            of_push[rows],
            matter.pushes.received[groups.pushes[rows]],
            groups.entity[at],
            after[at],
            later(groups.polled[at], matter.grace),
        )
    return explained
