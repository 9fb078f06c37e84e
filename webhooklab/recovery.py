"""Deliveries made from what polls saw, where a webhook never came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from webhooklab import clock, states
from webhooklab.headers import Headers
from webhooklab.records import RECOVERED, Arrival, Event, Interpretation, Request
from webhooklab.store import Store

PATH: Final = "/recovered"
HEADER: Final = "Webhooklab-Recovered"
"""Says what the poll saw: `changed` or `deleted`."""


def recover(
    store: Store, missed: pd.DataFrame, snapshots: pd.DataFrame, known: Mapping[str, int]
) -> list[int]:
    """Store a delivery of each missed change; returns their `seq`, in the order of the changes.

    The body is the state that the poll saw as JSON; of a deletion the last state before it. Its
    type, and the provider's own id, nobody knows: they stay empty, and `event_id` is ours. What
    `known` (`event_id` to `seq`) has is not made again. Raises `CaptureFileError`.
    """
    seqs = dict(known)
    wanted = {_event_id(row): row for _, row in missed.iterrows()}
    new = [name for name in wanted if name not in seqs]
    arrivals = [_arrival(name, wanted[name], snapshots) for name in new]
    for name, stored in zip(new, store.append(arrivals), strict=True):
        if stored is not None:
            seqs[name] = stored.seq
    return [seqs[name] for name in wanted]


def _event_id(row: pd.Series) -> str:
    which = row["polled_at"].isoformat() if pd.isna(row["version"]) else row["version"]
    named = [row[name] for name in ("provider", "entity_type", "entity_id")]
    return ":".join([RECOVERED, *("" if pd.isna(each) else each for each in named), which])


def _arrival(event_id: str, row: pd.Series, snapshots: pd.DataFrame) -> Arrival:
    what, state = _seen(row, snapshots)
    request = Request(
        received_at=clock.now_us(),
        method="POST",
        target=PATH,
        headers=Headers([("Content-Type", "application/json"), (HEADER, what)]),
        body=states.dump(state).encode(),
        source=RECOVERED,
    )
    event = Event(
        event_id=event_id,
        entity_type=_said(row["entity_type"]),
        entity_id=_said(row["entity_id"]),
        occurred_at=clock.from_datetime(row["occurred_at"])
        if pd.notna(row["occurred_at"])
        else None,
        version=_said(row["version"]),
    )
    return Arrival(request, Interpretation(_said(row["provider"]), 1, event), status=None)


def _seen(row: pd.Series, snapshots: pd.DataFrame) -> tuple[str, Any]:
    """What the poll saw that first saw the change, and the entity's state."""
    own = snapshots[(snapshots["entity_id"] == row["entity_id"]).to_numpy(bool)]
    first = own[(own["polled_at"] == row["polled_at"]).to_numpy(bool)].iloc[0]
    if not first["deleted"]:
        return "changed", first["state"]
    before = own[((own["poller"] == first["poller"]) & (own.index < first.name)).to_numpy(bool)]
    states_before = before["state"].dropna()
    return "deleted", {"id": row["entity_id"]} if states_before.empty else states_before.iloc[-1]


def _said(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
