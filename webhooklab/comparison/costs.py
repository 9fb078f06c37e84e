"""What each way of moving data cost (rule 16), and how far the clocks are apart (rule 14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import NEVER, Array, is_time, least_of, texts, ticks
from webhooklab.comparison.polling import asked_at, succeeded
from webhooklab.comparison.sides import column, takes_part, time_column

_SECOND = 1_000_000


@dataclass(frozen=True)
class PollCost:
    """Counts over all polls; `bytes` of all answers. A poll is one round, requests its pages."""

    polls: int
    failed: int
    wasted: int
    requests: int
    wasted_requests: int
    bytes: int


def poll_cost(polls: pd.DataFrame) -> PollCost:
    """Count what polling cost. Wasted: succeeded, not the baseline, brought no changed entity."""
    fine = succeeded(polls)
    changed = _numbers(polls, "changed", 0) > 0
    wasted = fine & ~changed & ~_baselines(polls, fine)
    requests = _numbers(polls, "request_count", 1)
    return PollCost(
        polls=len(polls),
        failed=int((~fine).sum()),
        wasted=int(wasted.sum()),
        requests=int(requests.sum()),
        wasted_requests=int(requests[wasted].sum()),
        bytes=int(_numbers(polls, "response_bytes", 0).sum()),
    )


def _numbers(frame: pd.DataFrame, name: str, absent: int) -> Array:
    values: Array = column(frame, name).astype("Float64").to_numpy("f8", na_value=absent)
    whole: Array = values.astype("i8")
    return whole


def _baselines(polls: pd.DataFrame, fine: Array) -> Array:
    """Each poller's first poll that succeeded."""
    poller = pd.factorize(texts(column(polls, "poller")).fillna(""))[0]
    asked = np.where(fine, asked_at(polls), NEVER)
    first = least_of(asked, poller, int(poller.max(initial=-1)) + 1)
    baseline: Array = fine & (asked == first[poller])
    return baseline


@dataclass(frozen=True)
class PushCost:
    """Counts over the deliveries that take part; `retried`: after something else than 2xx."""

    deliveries: int
    bytes: int
    retried: int


def push_cost(events: pd.DataFrame) -> PushCost:
    """Count what the webhooks cost."""
    part = events[takes_part(events)]
    seq = part.index.get_level_values(0)
    single = part[~seq.duplicated()]
    return PushCost(
        deliveries=len(single),
        bytes=int(_numbers(single, "body_bytes", 0).sum()),
        retried=_retried(single),
    )


def _retried(part: pd.DataFrame) -> int:
    """Duplicates whose earlier delivery was answered with something else than 2xx, or not."""
    rows = pd.DataFrame({"event": _event_keys(part), "status": _numbers(part, "status", 0)})
    rows = rows[rows["event"].notna()]
    earlier = rows.groupby("event", sort=False)["status"].shift()
    return int((earlier.notna() & ~earlier.between(200, 299)).sum())


def _event_keys(part: pd.DataFrame) -> pd.Series:
    """What repeated deliveries share: the first one's `seq`, else their event id."""
    seq = pd.Series(part.index.get_level_values(0), dtype="Int64")
    first = column(part, "duplicate_of").astype("Int64")
    if first.notna().any():
        return first.fillna(seq)
    provider = texts(column(part, "provider")).fillna("")
    return provider + "\n" + texts(column(part, "event_id"))


@dataclass(frozen=True)
class ClockSkew:
    """How far the provider's clock is ahead of ours, in seconds: at least `low`, at most `high`.

    `high` is None where only negative lags tell. `source` is "Date headers" or "negative lags".
    """

    low: float
    high: float | None
    source: str

    def __str__(self) -> str:
        """A clause for a sentence."""
        if self.high is None:
            return f"the provider's clock is ahead by at least {self.low:.3g} s"
        return f"the provider's clock is ahead by {self.low:+.3g} s to {self.high:+.3g} s"


def clock_skew(changes: pd.DataFrame, polls: pd.DataFrame | None) -> ClockSkew | None:
    """The skew as an interval from `Date` headers, else a bound from negative lags; else None."""
    found = _from_dates(polls) if polls is not None and "server_date" in polls else None
    if found is not None:
        return found
    lags = pd.concat([changes["push_lag"], changes["poll_lag"]]).dropna()
    if not len(lags) or lags.min() >= pd.Timedelta(0):
        return None
    return ClockSkew(-lags.min().total_seconds(), None, "negative lags")


def _from_dates(polls: pd.DataFrame) -> ClockSkew | None:
    date = ticks(column(polls, "server_date"))
    began, ended = (ticks(time_column(polls, name)) for name in ("requested_at", "polled_at"))
    known = is_time(date) & is_time(began) & is_time(ended)
    if not known.any():
        return None
    # A Date is cut to the second, and was written at some time between request and answer.
    low, high = (date - _SECOND - ended)[known], (date + _SECOND - began)[known]
    least, most = low.max(), high.min()
    if least > most:  # the clocks drifted meanwhile: what holds now
        least, most = low[-1], high[-1]
    return ClockSkew(float(least) / _SECOND, float(most) / _SECOND, "Date headers")
