"""How often should I poll? The cost and the lateness of other intervals (rule 17)."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import ClassVar

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array, is_time, numbered, texts, ticks
from webhooklab.comparison.coded import coded
from webhooklab.comparison.polling import asked_at
from webhooklab.comparison.sides import column, time_column
from webhooklab.errors import CompareArgumentError

_US = 1_000_000


class WhatIf(pd.DataFrame):
    """One row per interval, index `every` in seconds.

    `polls` over the time observed, `useful_polls` and `wasted` (a share) of them; `overlooked`
    changes expected, and their `overlooked_share`; lateness in seconds of those that are noticed:
    `late_mean`, `late_p50`, `late_p99`. `attrs` has `used` and `changes`: how many of how many
    have a known time; and `at_least`, True where polls alone tell, so that misses are more.
    """

    _metadata: ClassVar[list[str]] = []

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @property
    def sentence(self) -> str:
        """How many of how many changes this is built on."""
        used, total = self.attrs["used"], self.attrs["changes"]
        text = f"From {used:,} of {total:,} changes, whose time is known."
        if self.attrs["at_least"]:
            text += " Polls alone saw them: misses are at least these."
        return text


COLUMNS = (
    *("polls", "useful_polls", "wasted", "overlooked", "overlooked_share"),
    *("late_mean", "late_p50", "late_p99"),
)


def what_if(
    changes: pd.DataFrame, every: Iterable[float] | float, observed: float | None = None
) -> WhatIf:
    """Expect, over a random phase, what polling `every` so many seconds would give.

    `observed` is the interval that was polled at, in seconds; it matters where nothing was pushed.
    Raises `CompareArgumentError` for an interval that is not positive.
    """
    several = every if isinstance(every, Iterable) else [every]
    intervals = [_positive(interval) for interval in several]
    alone = not (changes["delivery_count"] > 0).any()
    when, known = _when(changes, alone=alone)
    entity = _entities(changes)[known]
    own, gap = _gaps(when, entity), _gaps(when, np.zeros(len(when), "i8"))
    span = (when.max() - when.min()) / _US if len(when) else 0.0
    rows = [
        [np.nan] * len(COLUMNS)
        if not len(when) or (alone and observed is not None and interval < observed)
        else _expect(interval, own, gap, span)
        for interval in intervals
    ]
    index = pd.Index(intervals, name="every", dtype="f8")
    frame = WhatIf(rows, columns=list(COLUMNS), index=index, dtype="Float64")
    frame.attrs.update(used=len(when), changes=len(changes), at_least=alone)
    return frame


def _positive(interval: object) -> float:
    if not (isinstance(interval, Real) and float(interval) > 0):
        raise CompareArgumentError(
            f"every={interval!r}: an interval is a positive number of seconds."
        )
    return float(interval)


def _when(changes: pd.DataFrame, *, alone: bool) -> tuple[Array, Array]:
    """When the changes happened, in us, and which have a known time.

    Where no change says when it happened, the time of its push stands for it, or of its poll.
    """
    for name in ("occurred_at", "polled_at" if alone else "received_at"):
        time = ticks(changes[name])
        if is_time(time).any():
            break
    known = is_time(time)
    return time[known], known


def _entities(changes: pd.DataFrame) -> Array:
    parts = [changes[name] for name in ("provider", "entity_type", "entity_id")]
    numbers = np.zeros(len(changes), "i8")
    for part in parts:
        numbers = numbered(numbers * (len(changes) + 1) + coded(part).numbers)
    return numbers


def _gaps(when: Array, groups: Array) -> Array:
    """Seconds to the next change of the group; infinite for its last."""
    order = np.lexsort((when, groups))
    gaps = np.full(len(when), np.inf)
    following = groups[order][1:] == groups[order][:-1]
    gaps[order[:-1][following]] = np.diff(when[order])[following] / _US
    return gaps


def _expect(interval: float, own: Array, gap: Array, span: float) -> list[float]:
    noticed = np.minimum(own / interval, 1.0)
    overlooked = float((1 - noticed).sum())
    useful = float((np.minimum(gap, interval) / interval).sum())
    polls = max(span / interval, useful)
    late = _lateness(np.minimum(own, interval), noticed)
    wasted = 1 - useful / polls if polls else 0.0
    return [polls, useful, wasted, overlooked, overlooked / len(own), *late]


def _lateness(most: Array, weight: Array) -> tuple[float, float, float]:
    """Mean, p50 and p99 of a mixture of uniforms on (0, `most`), weighted."""
    positive = most > 0
    if not positive.any():
        return 0.0, 0.0, 0.0
    order = np.argsort(most[positive])
    most, weight = most[positive][order], weight[positive][order] / weight[positive].sum()
    below = np.append(0.0, np.cumsum(weight))[:-1]
    density = np.cumsum((weight / most)[::-1])[::-1]
    reached = np.maximum.accumulate(below + most * density)
    at = [float(np.interp(q, np.append(0, reached), np.append(0, most))) for q in (0.5, 0.99)]
    return float((weight * most).sum() / 2), at[0], at[1]


def observed_interval(polls: pd.DataFrame | None, snapshots: pd.DataFrame) -> float | None:
    """The median time between two polls in seconds; None if there were not two."""
    if polls is not None and len(polls) > 1:
        asked, names = asked_at(polls), coded(texts(column(polls, "poller"))).numbers
    else:
        asked = np.unique(ticks(time_column(snapshots, "polled_at")))
        names = np.zeros(len(asked), "i8")
    gaps = _gaps(asked, names)
    finite = gaps[np.isfinite(gaps)]
    return float(np.median(finite)) if len(finite) else None
