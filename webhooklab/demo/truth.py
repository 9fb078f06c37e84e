"""What really happened, and what was done to each webhook."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from webhooklab.clock import to_datetime
from webhooklab.demo.life import Change

if TYPE_CHECKING:
    from pandas import DataFrame

Outcome = Literal["pending", "delivered", "lost", "failed", "disabled", "no subscriber"]

COLUMNS = {
    "entity_type": "str",
    "entity_id": "str",
    "event_type": "str",
    "event_id": "str",
    "version": "Int64",
    "occurred_at": "datetime64[us, UTC]",
    "state": "object",
    "deleted": "boolean",
    "lost": "boolean",
    "duplicate": "boolean",
    "reordered": "boolean",
    "delayed": "boolean",
    "attempts": "Int64",
    "delivered_at": "datetime64[us, UTC]",
    "outcome": "str",
}
"""Names and dtypes. `duplicate`, not `duplicated`: that is a method of every DataFrame."""


@dataclass
class Record:
    """One change and its webhook's story so far; `delivered_us` is the first 2xx, None if never."""

    change: Change
    lost: bool = False
    duplicate: bool = False
    reordered: bool = False
    delayed: bool = False
    attempts: int = 0
    delivered_us: int | None = None
    outcome: Outcome = "pending"

    @property
    def delivered_at(self) -> datetime | None:
        """The first 2xx, aware UTC."""
        return None if self.delivered_us is None else to_datetime(self.delivered_us)

    def delivered(self, instant_us: int) -> None:
        """Note a 2xx; of two copies the first one counts."""
        if self.delivered_us is None:
            self.delivered_us = instant_us
        self.outcome = "delivered"

    def gave_up(self, outcome: Outcome) -> None:
        """Note the end of a copy without a 2xx; the other copy's 2xx stands."""
        if self.outcome != "delivered":
            self.outcome = outcome


def truth_frame(records: Sequence[Record]) -> DataFrame:
    """Return one row per change, index `change` from 1, columns and dtypes of `COLUMNS`."""
    import pandas as pd  # noqa: PLC0415 - heavy, and only frames need it

    columns = {
        name: pd.Series([_value(record, name) for record in records], dtype=dtype)
        for name, dtype in COLUMNS.items()
    }
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([record.change.number for record in records], name="change", dtype=int)
    return frame


def _value(record: Record, name: str) -> object:
    if name == "state":
        return copy.deepcopy(record.change.state)  # the frame is the user's to change
    return getattr(record if hasattr(record, name) else record.change, name)
