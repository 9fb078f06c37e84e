"""Frames for the comparison: what a listener and a poller saw of so many changes.

Entities have four versions each, a minute apart. Every one was polled (each 30 s); of a hundred
events one was lost, one came twice, and one came so late that a newer one was there before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

VERSIONS, LOST, TWICE, LATE = 4, 0.01, 0.01, 0.01
POLL_SECONDS, APART_SECONDS, LATE_SECONDS = 30, 60, 70
SECONDS_PER_ENTITY = 0.4
START = np.datetime64("2026-01-01T00:00:00", "us")
KINDS = ("instants", "counters")
"""What the versions are: times of the last update, or numbers that count up."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class World:
    """What `compare` is given. `both`: how many changes were pushed and polled."""

    events: pd.DataFrame
    snapshots: pd.DataFrame
    polls: pd.DataFrame
    listening: pd.DataFrame
    both: int


def world(size: int, kind: str = KINDS[0]) -> World:
    """As many events as snapshots, `size` of each (a multiple of 4)."""
    chance = np.random.default_rng(size)
    entity, number = np.divmod(np.arange(size), VERSIONS)
    happened = entity * SECONDS_PER_ENTITY + number * APART_SECONDS + chance.random(size)
    happened = np.floor(happened + APART_SECONDS)
    version = _versions(kind, number, happened)
    lost, twice = np.split(chance.permutation(size)[: 2 * round(LOST * size)], 2)
    sent = np.concatenate([np.setdiff1d(np.arange(size), lost), twice])
    late = np.where(chance.random(size) < LATE, LATE_SECONDS, 0)
    received = happened[sent] + 0.05 + 0.4 * chance.random(size) + late
    order = np.argsort(received)
    both = size - len(np.setdiff1d(lost, sent))
    end = float(happened.max()) + 2 * APART_SECONDS
    return World(
        _events(entity, version, happened, sent[order], received[order]),
        _snapshots(entity, version, happened),
        _polls(end),
        pd.DataFrame({"started_at": _times([-3600.0]), "stopped_at": _times([np.nan])}),
        both,
    )


def _versions(kind: str, number: Array, happened: Array) -> Array:
    if kind == "counters":
        return (number + 1).astype(str)
    return np.char.add(np.datetime_as_string(_instants(happened), "s"), "Z")


def _events(
    entity: Array, version: Array, happened: Array, sent: Array, received: Array
) -> pd.DataFrame:
    count = len(sent)
    ids, versions = _ids(entity)[sent], version[sent]
    columns = {
        "received_at": _times(received),
        "stored_at": _times(received + 0.002),
        **{name: _same(text, count) for name, text in EVENT_TEXTS.items()},
        "event_id": _texts(np.char.add("evt_", sent.astype(str))),
        "entity_id": _texts(ids),
        "occurred_at": _times(happened[sent]),
        "version": _texts(versions),
        "duplicate_of": pd.array([pd.NA] * count, "Int64"),
        "body_bytes": pd.array(np.full(count, 100), "Int64"),
        "status": pd.array(np.full(count, 200), "Int64"),
        "body": _bodies(ids, versions),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, count + 1, name="seq"))


EVENT_TEXTS = {
    "source": "local",
    "method": "POST",
    "path": "/hooks",
    "query_string": "",
    "provider": "shop",
    "event_type": "order.updated",
    "entity_type": "order",
    "verified": "valid",
    "content_type": "application/json",
    "remote": "127.0.0.1",
    "headers_json": '[["Content-Type","application/json"],["User-Agent","Shop/1"]]',
}


def _bodies(ids: Array, versions: Array) -> Array:
    made = [
        b'{"type":"order.updated","data":{"id":"%b","version":"%b"}}' % (i.encode(), v.encode())
        for i, v in zip(ids, versions, strict=True)
    ]
    return np.array(made, dtype=object)


def _snapshots(entity: Array, version: Array, happened: Array) -> pd.DataFrame:
    """Each version as the next poll showed it, and the polls up to the next version's."""
    asked = np.ceil(happened / POLL_SECONDS) * POLL_SECONDS
    order = np.argsort(asked, kind="stable")
    ids, versions, asked = _ids(entity)[order], version[order], asked[order]
    count = len(order)
    states = [{"id": i, "version": v} for i, v in zip(ids, versions, strict=True)]
    columns = {
        **{name: _same(text, count) for name, text in SNAPSHOT_TEXTS.items()},
        "entity_id": _texts(ids),
        "version": _texts(versions),
        "not_seen_at": _times(asked - POLL_SECONDS),
        "polled_at": _times(asked + 0.2),
        "last_seen_at": _times(asked + POLL_SECONDS),
        "state": np.array(states, dtype=object),
        "changed_fields": np.full(count, None),
        "deleted": pd.array(np.zeros(count, bool), "boolean"),
    }
    return pd.DataFrame(columns)


SNAPSHOT_TEXTS = {"poller": "orders", "provider": "shop", "entity_type": "order"}


def _polls(end: float) -> pd.DataFrame:
    asked = np.arange(0.0, end, POLL_SECONDS)
    count = len(asked)
    columns = {
        "poller": _same("orders", count),
        "url": _same("https://api.example.com/orders", count),
        "requested_at": _times(asked),
        "polled_at": _times(asked + 0.2),
        "status": pd.array(np.full(count, 200), "Int64"),
        "request_count": pd.array(np.ones(count, int), "Int64"),
        "response_bytes": pd.array(np.full(count, 1_000), "Int64"),
        "changed": pd.array(np.ones(count, int), "Int64"),
        "complete": pd.array(np.ones(count, bool), "boolean"),
        "error": pd.array([None] * count, "str"),
    }
    return pd.DataFrame(columns)


def _ids(entity: Array) -> Array:
    return np.char.add("ord_", entity.astype(str))


def _texts(values: Array) -> Any:
    return pd.array(values.astype(object), "str")


def _same(text: str, count: int) -> Any:
    return pd.array(np.full(count, text, dtype=object), "str")


def _instants(seconds: Array) -> Array:
    return START + np.round(seconds * 1e6).astype("m8[us]")


def _times(seconds: Any) -> Any:
    known = np.asarray(seconds, "f8")
    values = np.where(np.isnan(known), np.datetime64("NaT"), _instants(np.nan_to_num(known)))
    return pd.Series(values.astype("M8[us]")).dt.tz_localize("UTC").array
