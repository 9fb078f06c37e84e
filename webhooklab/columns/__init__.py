"""Columns that grow: appending costs what is appended, and a frame of them costs almost nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from webhooklab.columns import bulk
from webhooklab.columns.base import Column
from webhooklab.columns.buffers import Counts, Flags, Objects, Times
from webhooklab.columns.cells import Cells
from webhooklab.columns.narrowing import widened
from webhooklab.columns.texts import Texts, text_series

__all__ = [
    "Cells",
    "Column",
    "Counts",
    "Flags",
    "Objects",
    "Texts",
    "Times",
    "bulk",
    "frame",
    "text_series",
    "widened",
]


def frame(columns: Mapping[str, Column], index: pd.Index) -> pd.DataFrame:
    """A frame of columns that are all as long as `index`; the caller's to change."""
    positions = pd.RangeIndex(len(index))
    made = pd.DataFrame(
        {name: column.series(positions) for name, column in columns.items()},
        index=positions,
        copy=False,
    )
    made.index = index
    return made
