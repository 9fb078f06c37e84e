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
    known = is_time(later) & is_time(earlier)
    difference = np.where(known, later, 0) - np.where(known, earlier, 0)
    return pd.Series(np.where(known, difference, NAT).view("m8[us]"))


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


def codes(series: pd.Series) -> Array:
    """Equal texts as equal numbers from 0; -1 where there is none."""
    if is_constant(series):
        return np.zeros(len(series), "i8")
    return pd.factorize(series)[0].astype("i8", copy=False)


def is_constant(series: pd.Series) -> bool:
    """Whether it is one text throughout: the usual case, seen at once."""
    if not len(series) or not isinstance(first := series.iloc[0], str):
        return False
    return bool(
        series.iloc[-1] is not pd.NA and series.iloc[-1] == first and (series == first).all()
    )


def numbered(values: Array) -> Array:
    """Equal numbers as equal numbers from 0."""
    found: Array = pd.factorize(values)[0].astype("i8", copy=False)
    return found


def factorized(series: pd.Series) -> tuple[Array, list[Any]]:
    """`codes`, and the distinct texts."""
    if is_constant(series):
        return np.zeros(len(series), "i8"), [series.iloc[0]]
    numbers, distinct = pd.factorize(series)
    return numbers.astype("i8", copy=False), list(distinct)


def pack(high: Array, low: Array) -> Array | None:
    """Two columns as one with the same order (`high` first); None where 63 bits are too few."""
    if not len(low):
        return high
    least, most = int(low.min()), int(low.max())
    span = most - least + 1
    if (int(high.max()) + 1) * span >= NEVER or int(high.min()) < 0:
        return None
    packed: Array = high * span + (low - least)
    return packed


def order_by(high: Array, low: Array) -> tuple[Array, Array]:
    """An order by `high`, then `low`, and where in that order a new pair begins."""
    packed = pack(high, low)
    if packed is None:
        packed = high * len(low) + _ranks(low)  # rows are few enough
    order = np.argsort(packed)
    return order, starts(packed[order])


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
    same = groups[1:] == groups[:-1]
    least[:-1][same] = values[1:][same]
    step = 1
    while len(groups) > step and (same := groups[step:] == groups[:-step]).any():
        least[:-step] = np.where(same, np.minimum(least[:-step], least[step:]), least[:-step])
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
    found[groups[flags]] = True
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
