"""Which rows name a version, and where deletions stand among the versions."""

from __future__ import annotations

import numpy as np

from webhooklab.comparison import vanishing
from webhooklab.comparison.arrays import Array, least_of, most_of
from webhooklab.comparison.grouping import Sightings
from webhooklab.comparison.matter import Matter
from webhooklab.comparison.reading import INSTANT, INTEGER, NONE
from webhooklab.comparison.runs import NO_KEY
from webhooklab.comparison.versions import MIXED


def sightings(matter: Matter) -> list[Sightings]:
    """The rows of pushes, pulls and fetches that name a version, deletions above what they end."""
    pushes, pulls = matter.pushes, matter.pulls
    push, pull, answer = _naming(matter)
    gone = pushes.deletion, pulls.deletion, np.zeros(len(answer), bool)
    push = (push | gone[0]) & pushes.counts
    pull = (pull | gone[1]) & matter.vanished.keep
    key = _with_deletions(matter) if gone[0].any() or gone[1].any() else matter.versions.key
    entity = matter.known.pushed, matter.known.pulled, matter.fetched.entity
    found, start = [], 0
    for named, of, deletion in zip((push, pull, answer), entity, gone, strict=True):
        own = Sightings(np.arange(len(named)), of, key[start : start + len(named)], deletion)
        found.append(own if named.all() else own.only(np.flatnonzero(named)))
        start += len(named)
    return found


def _naming(matter: Matter) -> tuple[Array, Array, Array]:
    """Where a version is named, or a run; of mixed kinds, every state that polls showed."""
    ends = np.cumsum([len(matter.pushes), len(matter.pulls)])
    push, pull, answer = np.split(matter.readings.kind != NONE, ends)
    inside = matter.runs.entities
    if inside.any():
        push = np.where(inside[matter.known.pushed], matter.runs.pushed != NO_KEY, push)
        pull = np.where(inside[matter.known.pulled], matter.runs.pulled != NO_KEY, pull)
        answer = answer & ~inside[matter.fetched.entity]
    mixed = matter.versions.kind[matter.known.pulled] == MIXED
    return push, pull | mixed, answer


def _with_deletions(matter: Matter) -> Array:
    pushes, pulls, split = matter.pushes, matter.pulls, len(matter.pushes)
    answer = np.zeros(len(matter.fetched.entity), bool)
    gone = np.concatenate([pushes.deletion, pulls.deletion, answer])
    key = matter.versions.key.copy()
    highest = int(key[~gone].max(initial=0)) + 1
    text = matter.readings.kind[:split]
    readable = np.isin(text, (INTEGER, INSTANT)) & _same_kind(matter, text)
    entity = np.concatenate([matter.known.pushed, matter.known.pulled, matter.fetched.entity])
    deletion = vanishing.deletion_keys(
        pushes,
        matter.known.pushed,
        key[:split],
        readable=readable,
        kind=matter.versions.kind,
        seen=matter.vanished,
        highest=highest,
    )
    key[gone] = deletion[entity[gone]]
    return key


def _same_kind(matter: Matter, text: Array) -> Array:
    """Where a push's version is of the sort that all others of its entity are."""
    pushes, pulls, split = matter.pushes, matter.pulls, len(matter.pushes)
    entity = np.concatenate([matter.known.pushed, matter.known.pulled])
    kind = matter.readings.kind[: len(entity)]
    telling = np.concatenate([pushes.counts & ~pushes.deletion, ~pulls.deletion]) & (kind != NONE)
    count = matter.known.count
    low = least_of(kind[telling].astype("i8"), entity[telling], count)
    high = most_of(kind[telling].astype("i8"), entity[telling], count)
    own = matter.known.pushed
    same: Array = (low[own] == text) & (high[own] == text) & (split > 0)
    return same
