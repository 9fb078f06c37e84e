"""`compare` and what it returns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from html import escape
from numbers import Real
from typing import Any, Final

import pandas as pd

from webhooklab.comparison import costs, sentences, sides
from webhooklab.comparison.costs import ClockSkew, PollCost, PushCost
from webhooklab.comparison.explain import Explanation, explain
from webhooklab.comparison.glance import glance
from webhooklab.comparison.matter import Matter, prepare
from webhooklab.comparison.missed import Missed, missed
from webhooklab.comparison.settling import Settled, settle
from webhooklab.comparison.table import no_changes, table
from webhooklab.comparison.verdicts import VERDICTS
from webhooklab.comparison.what_if import WhatIf, observed_interval, what_if
from webhooklab.comparison.wording import MEANING, count
from webhooklab.defaults import GRACE_SECONDS
from webhooklab.errors import CompareArgumentError
from webhooklab.instants import parse_instant

INTERVALS_SECONDS: Final = (1, 5, 30, 60, 300)
_LIKE: Final = {
    "events": "unbatched",
    "snapshots": "snapshots",
    "polls": "polls",
    "fetches": "fetches",
    "listening": "listened",
}


class Comparison:
    """Push held against pull. Pure data: see `compare` for the frames that it is made of.

    `recover` is what `missed.recover()` calls with the frame of missed changes, if anything.
    """

    def __init__(
        self,
        events: pd.DataFrame,
        snapshots: pd.DataFrame,
        *,
        polls: pd.DataFrame | None = None,
        fetches: pd.DataFrame | None = None,
        listening: pd.DataFrame | None = None,
        grace: float = GRACE_SECONDS,
        now: datetime | float | str | None = None,
        recover: Callable[[pd.DataFrame], Any] | None = None,
    ) -> None:
        _check_frames(
            events=events, snapshots=snapshots, polls=polls, fetches=fetches, listening=listening
        )
        self._events, self._snapshots = sides.by_seq(events), snapshots
        self._polls, self._fetches = polls, fetches
        self._recover = recover
        latest = sides.latest(
            events=events, snapshots=snapshots, polls=polls, fetches=fetches, listening=listening
        )
        self._now = latest if now is None else _instant(now)
        self._settled = self._compare(_duration(grace), listening)

    def _compare(self, grace: int, listening: pd.DataFrame | None) -> Settled | None:
        """The judged changes; None where no key occurs on both sides."""
        matter = prepare(
            self._events, self._snapshots, self._polls, self._fetches, grace=grace, now=self._now
        )
        self._examples = _examples(matter)
        self._thin = int(matter.thin.sum())
        return settle(matter, listening) if matter.meets else None

    @cached_property
    def _changes(self) -> pd.DataFrame:
        return no_changes() if self._settled is None else table(self._settled)

    @property
    def changes(self) -> pd.DataFrame:
        """One row per change, ordered by entity and version; the columns of `CHANGE_COLUMNS`.

        Empty where no key occurs on both sides. `mismatch` is computed when it is read.
        """
        return self._changes.copy(deep=False)

    @property
    def missed(self) -> Missed:
        """The changes whose webhook never came, though we listened (`poll_only`)."""
        return missed(self._changes, self._recover)

    @cached_property
    def _polling(self) -> PollCost | None:
        return None if self._polls is None else costs.poll_cost(self._polls)

    @cached_property
    def _pushing(self) -> PushCost:
        return costs.push_cost(self._events)

    @property
    def clock_skew(self) -> ClockSkew | None:
        """How far the provider's clock is ahead of ours, in seconds; None if nothing tells."""
        return costs.clock_skew(self._changes, self._polls)

    @property
    def summary(self) -> pd.Series:
        """Counts by name: changes and verdicts, deliveries and what is not compared, polls.

        NA is not measured.
        """
        changes = self._changes
        verdicts = changes["verdict"].value_counts()
        counts: dict[str, Any] = {"changes": len(changes)}
        counts |= {name: int(verdicts.get(name, 0)) for name in VERDICTS}
        for flag in ("duplicate", "out_of_order", "stale"):
            counts[flag] = int(changes[flag].sum())
        counts |= self._delivery_counts() | self._poll_counts()
        return pd.Series(counts, dtype="Int64", name="count")

    def _delivery_counts(self) -> dict[str, int]:
        events = self._events
        takes_part, invalid = sides.takes_part(events), sides.is_invalid(events)
        entity = sides.column(events, "entity_id").notna().to_numpy()
        return {
            "deliveries": self._pushing.deliveries,
            "events": int(takes_part.sum()),
            "without_entity": int((takes_part & ~entity).sum()),
            "thin": self._thin,
            "invalid": int(invalid.sum()),
            "our_replays": int((~takes_part & ~invalid).sum()),
            "retried": self._pushing.retried,
        }

    def _poll_counts(self) -> dict[str, Any]:
        cost = self._polling
        names = {
            "polls": "polls",
            "failed_polls": "failed",
            "wasted_polls": "wasted",
            "requests": "requests",
            "wasted_requests": "wasted_requests",
        }
        return {name: pd.NA if cost is None else getattr(cost, of) for name, of in names.items()}

    @property
    def at_a_glance(self) -> pd.DataFrame:
        """The table of both ways, with measured numbers in its cells, or "not measured"."""
        return glance(self._changes, self._polling, self._pushing)

    def what_if(self, every: Iterable[float] | float = INTERVALS_SECONDS) -> WhatIf:
        """Expect what polling `every` so many seconds would cost and overlook (rule 17).

        `every`: one interval or several. Raises `CompareArgumentError` for one that is not above 0.
        """
        observed = observed_interval(self._polls, self._snapshots)
        return what_if(self._changes, every, observed)

    def explain(self, entity_id: object) -> Explanation:
        """One entity's life on one line, and a sentence to paste into a ticket."""
        return explain(entity_id, self._changes, self._events, self._snapshots, self._fetches)

    @property
    def verdict(self) -> str:
        """The outcome in one sentence that a person can act on."""
        if self._settled is None:
            return sentences.no_verdict(*self._examples, self._polls)
        if self._thin and not len(self._changes):
            return sentences.nothing_said()
        return sentences.verdict(self._changes)

    def __repr__(self) -> str:
        counts = self._changes["verdict"].value_counts()
        found = ", ".join(f"{name} {counts[name]:,}" for name in VERDICTS if name in counts)
        total = count(len(self._changes), "change")
        return f"{self.verdict}\n<Comparison of {total}: {found or 'none'}>"

    def _repr_html_(self) -> str:
        head = f"<p><strong>{escape(self.verdict)}</strong></p>"
        with pd.option_context("display.max_colwidth", None):  # pandas would cut the sentences
            glance_table = self.at_a_glance.to_html(escape=True)
        tables = _verdict_table(self._changes) + glance_table
        return f'<div class="webhooklab-comparison">{head}{tables}</div>'


def compare(
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    *,
    polls: pd.DataFrame | None = None,
    fetches: pd.DataFrame | None = None,
    listening: pd.DataFrame | None = None,
    grace: float = GRACE_SECONDS,
    now: datetime | float | str | None = None,
) -> Comparison:
    """Hold webhook events against polled snapshots.

    `events` are the columns of `lab.unbatched` (or `lab.events`), and may have `state`, a dict;
    `snapshots`, `polls` and `fetches` those of the lab's. `listening` has `started_at` and
    `stopped_at` (NaT: still): without it no webhook is called missed. `grace` is in seconds: how
    long after the first poll that saw a change its webhook may still come; what comes later is no
    longer called missed. `now`: a datetime (a naive one is UTC), Unix time in seconds or ISO 8601
    text; None is the latest time in any frame.
    Raises `CompareArgumentError` for a negative grace and for a `now` that is no time, `TypeError`
    for what is no DataFrame.
    """
    return Comparison(
        events,
        snapshots,
        polls=polls,
        fetches=fetches,
        listening=listening,
        grace=grace,
        now=now,
    )


def _check_frames(**frames: object) -> None:
    for name, frame in frames.items():
        is_optional = name not in ("events", "snapshots")
        if not (isinstance(frame, pd.DataFrame) or (frame is None and is_optional)):
            raise TypeError(f"{name}: pass a DataFrame like lab.{_LIKE[name]}, not {type(frame)}.")


def _duration(grace: object) -> int:
    if not (isinstance(grace, Real) and 0 <= float(grace) < math.inf):
        raise CompareArgumentError(f"grace={grace!r}: pass 0 or more seconds.")
    return round(float(grace) * 1e6)


def _instant(now: datetime | float | str) -> int:
    instant = parse_instant(now)
    if instant is None:
        raise CompareArgumentError(
            f"now={now!r} is no time: pass a datetime, or Unix time in seconds."
        )
    return instant


def _examples(matter: Matter) -> tuple[str | None, str | None]:
    """One entity id of each side, for a message."""
    pushed, pulled = (side.frame for side in (matter.pushes, matter.pulls))
    return _first_id(pushed), _first_id(pulled)


def _first_id(frame: pd.DataFrame) -> str | None:
    return str(frame["entity_id"].iloc[0]) if len(frame) else None


def _verdict_table(changes: pd.DataFrame) -> str:
    counts = changes["verdict"].value_counts()
    rows = "".join(
        f"<tr><th>{name}</th><td>{counts[name]:,}</td><td>{MEANING[name]}</td></tr>"
        for name in VERDICTS
        if name in counts
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else ""
