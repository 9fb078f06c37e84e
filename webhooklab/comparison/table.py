"""`Comparison.changes`: the judged changes as a frame (rules 5, 14 and 15)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.comparison import reading
from webhooklab.comparison.arrays import NAT, Array, is_time, lags, ticks, times
from webhooklab.comparison.coded import Coded, in_same_words
from webhooklab.comparison.entity_states import comparable, differing
from webhooklab.comparison.lazy import nothing
from webhooklab.comparison.mismatch import mismatches
from webhooklab.comparison.settling import Settled
from webhooklab.comparison.sides import DELETED
from webhooklab.comparison.stated import as_state, pulled_states, pushed_states
from webhooklab.comparison.verdicts import REASONS, VERDICTS, names
from webhooklab.comparison.versions import RUNS

CHANGE_COLUMNS: Final[dict[str, str]] = {
    "provider": "str",
    "entity_type": "str",
    "entity_id": "str",
    "version": "str",
    "verdict": "str",
    "reason": "str",
    "event_seq": "Int64",
    "event_type": "str",
    "occurred_at": "datetime64[us, UTC]",
    "received_at": "datetime64[us, UTC]",
    "polled_at": "datetime64[us, UTC]",
    "push_lag": "timedelta64[us]",
    "poll_lag": "timedelta64[us]",
    "lead": "timedelta64[us]",
    "delivery_count": "Int64",
    "event_count": "Int64",
    "duplicate": "boolean",
    "out_of_order": "boolean",
    "stale": "boolean",
    "mismatch": "paths",
}
"""The columns of `changes`, in order. `mismatch` holds lists of paths and is computed when read."""


def no_changes() -> pd.DataFrame:
    """An empty `changes`, with its dtypes."""
    plain = {n: pd.Series([], dtype=d) for n, d in CHANGE_COLUMNS.items() if n != "mismatch"}
    return pd.DataFrame({**plain, "mismatch": mismatches(0, nothing)})


def table(settled: Settled) -> pd.DataFrame:
    """One row per change."""
    rows = settled.rows
    groups, flags = settled.groups, settled.flags
    occurred = _occurred(settled)
    received, polled = groups.received[rows], groups.polled[rows]
    baseline = groups.baseline[rows]
    push = groups.first_push[rows]
    columns: dict[str, Any] = {
        **_names(settled),
        "version": _version(settled),
        "verdict": names(settled.verdict[rows], VERDICTS),
        "reason": names(settled.reason[rows], REASONS),
        "event_seq": _seqs(settled.matter.pushes.seq, push),
        "event_type": settled.matter.pushes.coded("event_type").take(push).texts(),
        "occurred_at": times(occurred),
        "received_at": times(received),
        "polled_at": times(polled),
        "push_lag": lags(received, occurred),
        "poll_lag": lags(np.where(baseline, NAT, polled), occurred),
        "lead": lags(polled, received),
        "delivery_count": _counts(flags.delivery_count[rows]),
        "event_count": _counts(flags.event_count[rows]),
        "duplicate": pd.array(flags.duplicate[rows], "boolean"),
        "out_of_order": _flag(flags.out_of_order, flags.unknown, flags.thin, rows),
        "stale": _flag(flags.stale, flags.unknown, flags.thin, rows),
        "mismatch": mismatches(len(rows), _Mismatches(settled)),
    }
    return pd.DataFrame(columns, copy=False)


def _flag(value: Array, unknown: Array, thin: Array, rows: Array) -> Any:
    missing = thin | (unknown & ~value)
    return pd.arrays.BooleanArray(value[rows] & ~missing[rows], missing[rows])


def _seqs(values: Array, at: Array) -> Any:
    """The values at some positions, NA at -1."""
    if not len(values):
        return pd.array([pd.NA] * len(at), "Int64")
    return pd.arrays.IntegerArray(values[at], at < 0)


def _counts(values: Array) -> Any:
    return pd.arrays.IntegerArray(values, np.zeros(len(values), bool))


def _names(settled: Settled) -> dict[str, pd.Series]:
    """Provider, type and id as the push names them, else as the poll does."""
    known, entity = settled.matter.known, settled.groups.entity[settled.rows]
    return {
        "provider": _named(settled, "provider"),
        "entity_type": _named(settled, "entity_type"),
        "entity_id": pd.Series(known.names.array.take(known.name[entity])),
    }


def _named(settled: Settled, name: str) -> pd.Series:
    groups, rows = settled.groups, settled.rows
    push, pull = in_same_words(settled.matter.pushes.coded(name), settled.matter.pulls.coded(name))
    if push.is_one_word and pull.is_one_word and len(rows):
        return push.take(np.zeros(len(rows), "i8")).texts()
    push, pull = push.take(groups.first_push[rows]), pull.take(groups.first_pull[rows])
    return Coded(np.where(push.numbers >= 0, push.numbers, pull.numbers), push.words).texts()


def _version(settled: Settled) -> pd.Series:
    """The version's text as sent; `deleted` for a deletion, NA for a run."""
    matter, groups, rows = settled.matter, settled.groups, settled.rows
    version = _first_text(settled)
    gone = groups.deletion[rows]
    if gone.any():
        version = version.mask(gone, DELETED)
    runs = (matter.versions.kind[groups.entity[rows]] == RUNS) & ~gone
    return version.mask(runs, None) if runs.any() else version


def _first_text(settled: Settled) -> pd.Series:
    """The push's text; of few changes, mostly, the poll's."""
    matter, groups, rows = settled.matter, settled.groups, settled.rows
    at, pull = groups.first_push[rows], groups.first_pull[rows]
    unpushed = np.flatnonzero(at < 0)
    at[unpushed] = len(matter.pushes) + np.arange(len(unpushed))
    pulled = matter.pulls.version.array.take(pull[unpushed])
    both = pd.concat([matter.pushes.version, pd.Series(pulled)], ignore_index=True)
    return pd.Series(both.array.take(at))


def _occurred(settled: Settled) -> Array:
    """The event's time, else the version if it is an instant (rule 14)."""
    matter, groups, rows = settled.matter, settled.groups, settled.rows
    push, pull = groups.first_push[rows], groups.first_pull[rows]
    occurred = np.full(len(rows), NAT)
    if "occurred_at" in matter.pushes.frame and len(matter.pushes):
        said = ticks(matter.pushes.column("occurred_at", np.maximum(push, 0)))
        occurred = np.where(push >= 0, said, NAT)
    left = np.flatnonzero(~is_time(occurred))
    usable = ~groups.deletion[rows[left]] & (
        matter.versions.kind[groups.entity[rows[left]]] != RUNS
    )
    left = left[usable]
    at = np.where(push[left] >= 0, push[left], pull[left] + len(matter.pushes))
    occurred[left] = reading.as_time(matter.readings, at)
    return occurred


class _Mismatches:
    """Computes cells of `mismatch` by the number of the row (rule 15)."""

    def __init__(self, settled: Settled) -> None:
        self._settled = settled

    def __call__(self, rows: Array) -> list[Any]:
        groups = self._settled.groups
        numbers = self._settled.rows[rows]
        wanted = np.isin(groups.change, numbers[groups.pushed[numbers] & ~groups.deletion[numbers]])
        wanted &= self._settled.matter.pushes.own[groups.pushes] | self._runs()[groups.change]
        at = np.flatnonzero(wanted)
        pulled = self._pulled(numbers)
        found: dict[int, set[str]] = {}
        states = pushed_states(self._settled.matter.pushes, groups.pushes[at])
        for number, state in zip(groups.change[at].tolist(), states, strict=True):
            other = pulled.get(number)
            if state and other and comparable(state, other):
                found.setdefault(number, set()).update(differing(state, other))
        return [sorted(found[n]) if n in found else pd.NA for n in numbers.tolist()]

    def _runs(self) -> Array:
        matter = self._settled.matter
        runs: Array = matter.versions.kind[self._settled.groups.entity] == RUNS
        return runs

    def _pulled(self, numbers: Array) -> dict[int, Any]:
        """The state that the API showed of each change: a poll's, else a fetch's."""
        groups, matter = self._settled.groups, self._settled.matter
        polled = numbers[groups.first_pull[numbers] >= 0]
        states = pulled_states(matter.pulls, groups.first_pull[polled])
        shown: dict[int, Any] = dict(zip(polled.tolist(), states, strict=True))
        fetched = numbers[(groups.first_pull[numbers] < 0) & (groups.first_fetch[numbers] >= 0)]
        for number, row in zip(fetched, groups.first_fetch[fetched], strict=True):
            shown[int(number)] = as_state(matter.fetched.state.iloc[row])
        return shown
