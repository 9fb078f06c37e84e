"""The column `mismatch`: computed where it is looked at, because it parses bodies (rule 15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from webhooklab.comparison.arrays import Array
from webhooklab.comparison.lazy import Compute, LazyArray, LazyDtype


class PathsDtype(LazyDtype):
    """Lists of paths, or NA."""

    name: ClassVar[str] = "paths"

    @classmethod
    def construct_array_type(cls) -> Any:
        """The array of this dtype."""
        return PathsArray


class PathsArray(LazyArray):
    """Lists of paths, or NA. Each cell that is read is a list of the reader's own."""

    @property
    def dtype(self) -> PathsDtype:
        """Lists of paths, or NA."""
        return PathsDtype()

    @classmethod
    def _from_sequence(
        cls, scalars: Sequence[Any], *, dtype: Any = None, copy: bool = False
    ) -> Any:
        lists = [cell if isinstance(cell, list) else pd.NA for cell in scalars]
        return super()._from_sequence(lists, dtype=dtype, copy=copy)

    def cells(self, rows: Array) -> list[Any]:
        """The cells of some rows; -1 is NA."""
        return [list(c) if isinstance(c, list) else pd.NA for c in super().cells(rows)]


def mismatches(count: int, compute: Compute) -> PathsArray:
    """A column of `count` lists of paths, which `compute` makes once, when they are read."""
    return PathsArray(np.arange(count), compute, {})
