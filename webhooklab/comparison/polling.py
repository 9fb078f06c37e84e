"""What pollers did over all, and when deliveries could reach us (rules 1 and 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import NAT, Array, is_time, least_of, most_of, texts, ticks
from webhooklab.comparison.coded import coded
from webhooklab.comparison.sides import Pulls, column, time_column


@dataclass(frozen=True)
class Poller:
    """What is known of one poller over all: when complete answers began and ended (rule 1)."""

    first_complete: int
    last_complete: int
    is_list: bool


def succeeded(polls: pd.DataFrame) -> Array:
    """The polls that were answered with what is there: 2xx, 304, or 404 where it is not there.

    Without a column of that name the status is not known to be another.
    """
    status = np.full(len(polls), 200.0)
    if "status" in polls:
        status = column(polls, "status").astype("Float64").to_numpy("f8", na_value=np.nan)
    fine: Array = ((status >= 200) & (status < 300)) | (status == 304)
    fine |= np.isin(status, (404, 410)) & _are_complete(polls)
    fine &= column(polls, "error").isna().to_numpy()
    return fine


def complete(polls: pd.DataFrame) -> Array:
    """The successful polls that saw all there is; a 304 says that nothing is new of it."""
    return succeeded(polls) & _are_complete(polls)


def _are_complete(polls: pd.DataFrame) -> Array:
    told: Array = column(polls, "complete").astype("boolean").fillna(False).to_numpy(bool)
    return told


def asked_at(polls: pd.DataFrame) -> Array:
    """When each poll began in us, or, where nobody says, when it was answered: to put in order."""
    began, ended = (ticks(time_column(polls, name)) for name in ("requested_at", "polled_at"))
    return np.where(is_time(began), began, ended)


def pollers(side: Pulls, polls: pd.DataFrame | None, entity: Array) -> dict[int, Poller]:
    """Each poller by its number in `side.poller`.

    Of one that `polls` tell of only complete polls count; of others, that they showed anything.
    """
    count = int(side.poller.max()) + 1 if len(side) else 0
    first = least_of(side.polled, side.poller, count)
    last = most_of(side.last_seen, side.poller, count)
    lists = _have_several(side.poller, entity, count)
    if polls is not None and len(polls) and "poller" in polls:
        owner = _owners(side, polls)
        first, last = _as_told(polls, owner, first, last)
        lists |= ~_ask_for_one(side, polls, owner, count)
    last = np.maximum(last, most_of(side.not_seen, side.poller, count))
    return {n: Poller(int(first[n]), int(last[n]), bool(lists[n])) for n in range(count)}


def _have_several(owner: Array, entity: Array, count: int) -> Array:
    low, high = least_of(entity, owner, count), most_of(entity, owner, count)
    several: Array = low != high
    return several


def _owners(side: Pulls, polls: pd.DataFrame) -> Array:
    """The number of each poll's poller; -1 for one that saw nothing."""
    firsts = np.array(_first_rows(side.poller), "i8")
    where = {name: n for n, name in enumerate(texts(side.column("poller", firsts)).fillna(""))}
    asked = coded(texts(column(polls, "poller")).fillna(""))
    return np.array([where.get(name, -1) for name in asked.words], "i8")[asked.numbers]


def _as_told(polls: pd.DataFrame, owner: Array, first: Array, last: Array) -> tuple[Array, Array]:
    """When the first complete poll of each poller ended, and the last began."""
    began, ended = (ticks(time_column(polls, name)) for name in ("requested_at", "polled_at"))
    counts = complete(polls) & (owner >= 0)
    told = np.isin(np.arange(len(first)), owner)
    ends, begins = counts & is_time(ended), counts & is_time(began)
    first = np.where(told, least_of(ended[ends], owner[ends], len(first)), first)
    last = np.where(told, most_of(began[begins], owner[begins], len(last)), last)
    return first, last


def _first_rows(numbers: Array) -> list[int]:
    """The first row of each number; all from 0 to the greatest occur."""
    first = least_of(np.arange(len(numbers)), numbers, int(numbers.max(initial=-1)) + 1)
    return [int(row) for row in first]


def _ask_for_one(side: Pulls, polls: pd.DataFrame, owner: Array, count: int) -> Array:
    """The pollers whose URL ends in the id of an entity that they saw: one resource, no list."""
    urls = column(polls, "url")
    single = np.zeros(count, bool)
    ids = texts(side.column("entity_id"))
    for number, row in enumerate(_first_rows(side.poller)):
        own = np.flatnonzero(owner == number)
        path = str(urls.iloc[own[0]]).partition("?")[0] if len(own) else ""
        single[number] = path.rstrip("/").rpartition("/")[2] == ids.iloc[row]
    return single


def extend_last_seen(side: Pulls, known: dict[int, Poller], entity: Array) -> None:
    """A poll that changed nothing writes no row, but saw the current states again (rule 1)."""
    if not len(side):
        return
    last = np.array([known[n].last_complete for n in range(len(known))])[side.poller]
    width = int(side.poller.max()) + 1
    newest = pd.Series(side.polled).groupby(entity * width + side.poller).transform("max")
    current = side.polled == newest.to_numpy()
    side.last_seen = np.where(current, np.maximum(side.last_seen, last), side.last_seen)


def listened(listening: pd.DataFrame | None) -> tuple[Array, Array]:
    """The spans in which deliveries could reach us, merged; a NaT end is still open.

    None: nobody says that we listened, so it is not assumed.
    """
    if listening is None or not len(listening):
        return np.empty(0, "i8"), np.empty(0, "i8")
    started, stopped = (ticks(time_column(listening, n)) for n in ("started_at", "stopped_at"))
    order = np.argsort(started, kind="stable")
    started = started[order]
    reach = np.maximum.accumulate(np.where(is_time(stopped), stopped, np.iinfo("i8").max)[order])
    new = np.append(True, started[1:] > reach[:-1])
    ends = np.append(np.flatnonzero(new)[1:], len(started)) - 1
    return started[new], reach[ends]


def covers(spans: tuple[Array, Array], start: Array, stop: Array) -> Array:
    """Whether one span holds all of [start, stop]."""
    started, stopped = spans
    if not len(started):
        return np.zeros(len(start), bool)
    at = np.searchsorted(started, start, "right") - 1
    inside: Array = (at >= 0) & (stopped[np.maximum(at, 0)] >= stop) & (start != NAT)
    return inside
