"""Deliveries made from what polls saw, where a webhook never came."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

import pandas as pd

from webhooklab import clock, states
from webhooklab.errors import RecoveryError
from webhooklab.headers import Headers
from webhooklab.records import Arrival, Event, Interpretation, Request
from webhooklab.sources import RECOVERED
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
    `known` (`event_id` to `seq`) has is not made again. Raises `RecoveryError` when a state has
    been deleted since, and `CaptureFileError`.
    """
    seqs = dict(known)
    wanted = {_event_id(row): row for _, row in missed.iterrows()}
    new = [name for name in wanted if name not in seqs]
    seen = _Seen(snapshots)
    arrivals = [_arrival(name, wanted[name], seen) for name in new]
    for name, stored in zip(new, store.append(arrivals), strict=True):
        if stored is not None:
            seqs[name] = stored.seq
    return [seqs[name] for name in wanted]


def _event_id(row: pd.Series) -> str:
    which = row["polled_at"].isoformat() if pd.isna(row["version"]) else row["version"]
    named = [row[name] for name in ("provider", "entity_type", "entity_id")]
    return ":".join([RECOVERED, *("" if pd.isna(each) else each for each in named), which])


def _arrival(event_id: str, row: pd.Series, seen: _Seen) -> Arrival:
    what, state = seen.state(row)
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


class _Seen:
    """What polls saw, found by the change that they saw first."""

    def __init__(self, snapshots: pd.DataFrame) -> None:
        self._rows = snapshots.reset_index(drop=True)
        self._of: Mapping[Hashable, Any] = self._rows.groupby("entity_id", sort=False).indices

    def state(self, change: pd.Series) -> tuple[str, Any]:
        """What the first poll saw that saw the change, and the entity's state."""
        own = self._rows.iloc[self._of.get(change["entity_id"], [])]
        first = own[(own["polled_at"] == change["polled_at"]).to_numpy(bool)].head(1)
        if first.empty:
            raise RecoveryError(
                f"What polls saw of {change['entity_id']!r} has been deleted from the capture "
                "file since it was compared: compare again, and recover what is missed then."
            )
        if not first["deleted"].iloc[0]:
            return "changed", first["state"].iloc[0]
        same = (own["poller"] == first["poller"].iloc[0]).to_numpy(bool)
        before = own[same & (own.index < first.index[0])]["state"].dropna()
        return "deleted", {"id": change["entity_id"]} if before.empty else before.iloc[-1]


def _said(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
