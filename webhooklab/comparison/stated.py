"""Reads states out of the frames only where a rule asks for them: parsing bodies is dear."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array
from webhooklab.comparison.entity_states import State, state_in
from webhooklab.comparison.sides import Pulls, Pushes


def as_state(value: Any) -> State | None:
    """A cell of a `state` column: a dict, else None."""
    return value if isinstance(value, dict) else None


def pushed_states(pushes: Pushes, rows: Array) -> list[State | None]:
    """The states in some pushes: the frame's `state` column if it has one, else their bodies."""
    if "state" in pushes.frame:
        return [as_state(value) for value in pushes.column("state", rows)]
    if "body" not in pushes.frame:
        return [None] * len(rows)
    cells = zip(
        pushes.column("body", rows),
        _or_none(pushes.column("content_type", rows)),
        pushes.column("entity_id", rows).astype(str),
        strict=True,
    )
    return [state_in(body, content_type, entity_id) for body, content_type, entity_id in cells]


def _or_none(series: pd.Series) -> list[Any]:
    values = series.astype(object)
    return list(values.where(values.notna().to_numpy(), None))


def pulled_states(pulls: Pulls, rows: Array) -> list[State | None]:
    """The states in some snapshots."""
    return [as_state(value) for value in pulls.column("state", np.asarray(rows, "i8"))]
