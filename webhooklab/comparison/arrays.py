"""Small vectorised steps that the rules share. Times are int64 microseconds since the epoch."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

Array: TypeAlias = np.ndarray[Any, Any]

NEVER: Final = np.iinfo("i8").max
"""Later than every time, greater than every number: what a minimum over nothing is."""
NAT: Final = np.iinfo("i8").min
"""Pandas' NaT as a number, and what a maximum over nothing is."""
_SECOND: Final = 1_000_000


def ticks(series: pd.Series) -> Array:
    """A column of times, or texts of times, as microseconds; NaT is `NAT`. Naive ones are UTC."""
    if not isinstance(series.dtype, pd.DatetimeTZDtype):
        is_text = pd.api.types.is_object_dtype(series) or pd.api.types.is_string_dtype(series)
        series = pd.to_datetime(series, utc=True, format="mixed" if is_text else None)
    values: Array = series.dt.tz_convert(None).to_numpy("M8[us]").view("i8")
    return values


def times(values: Array) -> pd.Series:
    """Microseconds as a `datetime64[us, UTC]` column; `NAT` and `NEVER` are NaT."""
    known = np.where(values == NEVER, NAT, values)
    return pd.Series(known.view("M8[us]")).dt.tz_localize("UTC")


def lags(later: Array, earlier: Array) -> pd.Series:
    """`later - earlier` as `timedelta64[us]`; NaT where either is `NAT` or `NEVER`."""
    difference = later - earlier  # wraps around where one is unknown
    difference[~(is_time(later) & is_time(earlier))] = NAT
    return pd.Series(difference.view("m8[us]"))


def or_never(values: Array) -> Array:
    """Times of which an unknown one comes before nothing: `NAT` as `NEVER`."""
    return np.where(values == NAT, NEVER, values)


def later(values: Array, span: int) -> Array:
    """`values` and a span of us; `NEVER` stays what it is."""
    return np.where(values == NEVER, NEVER, values + span)


def is_time(values: Array) -> Array:
    """Where there is a time at all."""
    known: Array = (values != NAT) & (values != NEVER)
    return known


def texts(series: pd.Series) -> pd.Series:
    """A column as text (`str`): 42 and 42.0 are "42", "042" stays; absent is NA."""
    if not isinstance(series.dtype, pd.StringDtype):
        values = [_text(value) for value in series.astype(object)]
        series = pd.Series(values, dtype="str")
    return series.astype("str").reset_index(drop=True)


def _text(value: Any) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float | np.floating):
        whole = not np.isnan(value) and float(value).is_integer()
        return None if np.isnan(value) else str(int(value)) if whole else str(value)
    return str(value)


def numbered(values: Array) -> Array:
    """Equal numbers as equal numbers from 0."""
    found: Array = pd.factorize(values)[0].astype("i8", copy=False)
    return found


def order_by(high: Array, low: Array) -> tuple[Array, Array]:
    """An order by `high`, from 0, then `low`, and where in that order a new pair begins."""
    if not len(low):
        return np.empty(0, "i8"), np.empty(0, bool)
    low = _small(low)
    span = int(low.max()) + 1
    if (int(high.max()) + 1) * span >= NEVER:
        low, span = _ranks(low), len(low)  # rows are few enough
    packed = high * span + low
    bits = len(packed).bit_length()
    if int(packed.max()) >> (63 - bits):
        order = np.argsort(packed)
        return order, starts(packed[order])
    # Where there are bits left for the row's number, it is sorted along: twice as fast.
    both = np.sort((packed << bits) | np.arange(len(packed)))
    return both & ((1 << bits) - 1), starts(both >> bits)


def _small(values: Array) -> Array:
    """Numbers in the same order, from 0 where that fits; times of whole seconds in seconds."""
    least, most = int(values.min()), int(values.max())
    if most - least >= NEVER:
        return _ranks(values)
    small = values - least
    if most - least < _SECOND:
        return small
    seconds = small // _SECOND
    return seconds if np.array_equal(seconds * _SECOND, small) else small


def _ranks(values: Array) -> Array:
    """Equal numbers as equal numbers, in the same order, below the count of rows."""
    order = np.argsort(values)
    ranks = np.empty(len(values), "i8")
    ranks[order] = np.cumsum(starts(values[order])) - 1
    return ranks


def starts(values: Array) -> Array:
    """Where equal neighbours begin."""
    new = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new


def follow(values: Array, groups: Array) -> Array:
    """Of each row the least value among the *later* rows of its group; `NEVER` if there is none.

    `groups` is sorted. Doubles its step until the longest group is covered.
    """
    least = np.full(len(values), NEVER)
    least[:-1] = np.where(groups[1:] == groups[:-1], values[1:], NEVER)
    step = 1
    while len(groups) > step and (same := groups[step:] == groups[:-step]).any():
        further = np.where(same, least[step:], NEVER)
        np.minimum(least[:-step], further, out=least[:-step])
        step *= 2
    return least


def least_of(values: Array, groups: Array, count: int) -> Array:
    """The least value of each of `count` groups; `NEVER` for a group without any."""
    least = np.full(count, NEVER)
    np.minimum.at(least, groups, values)
    return least


def sorted_least(values: Array, groups: Array, count: int) -> Array:
    """`least_of` for groups in ascending order, which is faster."""
    least = np.full(count, NEVER)
    if len(groups):
        begins = np.flatnonzero(starts(groups))
        least[groups[begins]] = np.minimum.reduceat(values, begins)
    return least


def most_of(values: Array, groups: Array, count: int) -> Array:
    """The greatest value of each of `count` groups; `NAT` for a group without any."""
    most = np.full(count, NAT)
    np.maximum.at(most, groups, values)
    return most


def any_of(flags: Array, groups: Array, count: int) -> Array:
    """Which of `count` groups have a row with the flag."""
    found = np.zeros(count, bool)
    found[groups if flags.all() else groups[flags]] = True
    return found


def happen_between(
    owners: Array, moments: Array, asked: Array, after: Array, until: Array
) -> Array:
    """Whether owner `asked` has a moment in (`after`, `until`], for each question.

    `NAT` in `after` is the beginning of time.
    """
    if not len(owners) or not len(asked):
        return np.zeros(len(asked), bool)
    upto = _count_upto(owners, moments, np.tile(asked, 2), np.concatenate([after, until]))
    found: Array = upto[len(asked) :] > upto[: len(asked)]
    return found


def _count_upto(owners: Array, moments: Array, asked: Array, at: Array) -> Array:
    """How many (owner, moment) there are up to and with each (asked, at), in one order."""
    is_question = np.repeat([False, True], [len(owners), len(asked)])
    order = np.lexsort(
        (is_question, np.concatenate([moments, at]), np.concatenate([owners, asked]))
    )
    counted = np.empty(len(order), "i8")
    counted[order] = np.cumsum(~is_question[order])
    return counted[len(owners) :]
