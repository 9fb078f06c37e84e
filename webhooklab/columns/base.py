"""The interface that every kind of column has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from operator import eq
from typing import Any, Final

import pandas as pd

EXACT_IN_FLOAT: Final = 2**53
"""Integers up to here, and their negatives, are all of them floats."""


class Column(ABC):
    """One growing column. `append` takes a list with None where there is nothing."""

    def __init__(self) -> None:
        self.rows = 0

    @abstractmethod
    def append(self, values: Sequence[Any]) -> None:
        """Add values at the end."""

    @abstractmethod
    def series(self, index: pd.RangeIndex) -> pd.Series:
        """The rows so far, the caller's to change. `index` is as long as the column."""

    def extend(self, array: Any) -> None:
        """Add the values of an Arrow array of `arrow_type` at the end."""
        self.append(array.to_pylist())

    def arrow_type(self) -> Any:
        """The Arrow type of what is in here; None where no one type holds all of it."""
        return None

    def skip(self, count: int) -> None:
        """Add `count` rows of nothing."""
        self.append([None] * count)

    def scatter(self, rows: Sequence[int], values: Sequence[Any], count: int) -> None:
        """Add `count` rows, of which those at `rows` (from 0, in any order) hold `values`."""
        if is_whole(rows, count):
            self.append(values)
            return
        dense: list[Any] = [None] * count
        for row, value in zip(rows, values, strict=True):
            dense[row] = value
        self.append(dense)

    def values(self) -> list[Any]:
        """The rows so far as plain Python values, None where there is nothing."""
        series = self.series(pd.RangeIndex(self.rows)).astype(object)
        return [None if gone else value for value, gone in zip(series, series.isna(), strict=True)]


def is_whole(rows: Sequence[int], count: int) -> bool:
    """Whether these are the rows from 0 to `count`, in order."""
    return len(rows) == count and all(map(eq, rows, range(count)))
