"""What was wrong with a change's deliveries (rule 15, and rule 5 for ties)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import NAT, NEVER, Array, any_of, follow, least_of, most_of
from webhooklab.comparison.grouping import Groups
from webhooklab.comparison.sides import Pushes
from webhooklab.comparison.versions import ORDERED


@dataclass
class Flags:
    """Per change: counts and flags; `unknown` order, and `thin` where all deliveries are."""

    delivery_count: Array
    event_count: Array
    duplicate: Array
    out_of_order: Array
    stale: Array
    unknown: Array
    thin: Array


def flags(groups: Groups, kind: Array, pushes: Pushes) -> Flags:
    """Look at every delivery of each change that takes part. `kind` is per change."""
    count = len(groups.entity)
    rows, change = groups.pushes, groups.change
    if not pushes.own.all():
        own = pushes.own[rows]
        rows, change = rows[own], change[own]
    seq, received = pushes.seq[rows], pushes.received[rows]
    shown = np.minimum(groups.polled, groups.fetched)
    # Of opaque versions only a deletion is known to be newer.
    ordered = (kind == ORDERED) | groups.deletion
    newer_push = follow(np.where(ordered, least_of(seq, change, count), NEVER), groups.entity)
    newer_pull = follow(np.where(ordered, shown, NEVER), groups.entity)
    latest_seq, latest = most_of(seq, change, count), most_of(received, change, count)
    out_of_order, stale = newer_push < latest_seq, newer_pull < latest
    thin = groups.pushed & (latest_seq == NAT)
    deliveries, events, duplicate = _repeated(groups, pushes)
    return Flags(
        delivery_count=deliveries,
        event_count=events,
        duplicate=duplicate,
        out_of_order=out_of_order,
        stale=stale,
        unknown=groups.pushed & ~ordered,
        thin=thin,
    )


def _repeated(groups: Groups, pushes: Pushes) -> tuple[Array, Array, Array]:
    """Deliveries, distinct events, and whether one event came twice, per change."""
    rows, change = groups.pushes, groups.change
    duplicate_of = _duplicates_of(pushes, rows)
    again = _are_repeated(pushes, rows, duplicate_of)
    several = np.flatnonzero(groups.push_count[change] > 1)
    repeated = again.copy()
    same_delivery = np.zeros(len(rows), bool)
    if len(several):
        repeated[several] |= _same_event(pushes, rows[several], change[several], again[several])
        pairs = pd.DataFrame({"change": change[several], "seq": pushes.seq[rows[several]]})
        same_delivery[several] = pairs.duplicated().to_numpy()
    count = len(groups.entity)
    deliveries = groups.push_count - _count(same_delivery, change, count)
    events = groups.push_count - _count(repeated, change, count)
    return (
        deliveries,
        np.where(groups.pushed, np.maximum(events, 1), 0),
        any_of(repeated, change, count),
    )


def _count(flags: Array, groups: Array, count: int) -> Array:
    return np.bincount(groups[flags], minlength=count)


def _duplicates_of(pushes: Pushes, rows: Array) -> Array:
    """The `seq` that each push repeats by the lab's own word; -1 for none."""
    if "duplicate_of" not in pushes.frame or pushes.frame["duplicate_of"].isna().all():
        return np.full(len(rows), -1)
    said = pushes.column("duplicate_of", rows).astype("Int64")
    return said.to_numpy("i8", na_value=-1)


def _are_repeated(pushes: Pushes, rows: Array, duplicate_of: Array) -> Array:
    """Which pushes repeat an earlier delivery that takes part, or that these frames lack."""
    said = duplicate_of >= 0
    again = np.zeros(len(rows), bool)
    if said.any():
        left_out = pushes.seq[~pushes.counts]
        again[said] = ~np.isin(duplicate_of[said], left_out)
    return again


def _same_event(pushes: Pushes, rows: Array, change: Array, again: Array) -> Array:
    """Rows whose event another row before them in the change has: same id, else equal bytes."""
    ids = pushes.column("event_id", rows)
    named = ids.notna().to_numpy()
    keys = pd.DataFrame({"change": change, "provider": pushes.column("provider", rows)})
    same = np.zeros(len(rows), bool)
    for at, marks in (
        (np.flatnonzero(named), ids[named]),
        (np.flatnonzero(~named), pushes.column("body", rows[~named])),
    ):
        marked = keys.iloc[at].assign(mark=marks.to_numpy(object))
        same[at] = marked.duplicated().to_numpy() & marked["mark"].notna().to_numpy()
    return same & ~again
