"""Columns whose cells are computed where they are looked at: bodies and states are dear to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take

from webhooklab.comparison.arrays import Array

Compute = Callable[[Array], list[Any]]
"""Gives the cells of some rows, in their order; pd.NA where there is nothing."""


class LazyDtype(ExtensionDtype):
    """Any objects, or NA."""

    name: ClassVar[str] = "lazy"
    type: ClassVar[Any] = object
    na_value = pd.NA

    @classmethod
    def construct_array_type(cls) -> Any:
        """The array of this dtype."""
        return LazyArray


class LazyArray(ExtensionArray):  # noqa: PLW1641 - pandas' arrays have no hash
    """An array whose cells are computed when they are read, each time.

    `compute` takes row numbers (of the column as it was made). With `known` what it gave is kept,
    and shared by all slices and copies. A cell that is written to belongs to its array alone.
    """

    def __init__(self, rows: Array, compute: Compute, known: dict[int, Any] | None = None) -> None:
        self._rows, self._compute, self._known = rows, compute, known

    @property
    def dtype(self) -> LazyDtype:
        """Any objects, or NA."""
        return LazyDtype()

    @property
    def nbytes(self) -> int:
        """Bytes of the row numbers; the cells are computed later."""
        return int(self._rows.nbytes)

    @classmethod
    def _from_sequence(
        cls,
        scalars: Sequence[Any],
        *,
        dtype: Any = None,  # noqa: ARG003 - pandas' interface
        copy: bool = False,  # noqa: ARG003
    ) -> Any:
        return cls(*_as_they_are(scalars))

    @classmethod
    def _from_factorized(cls, values: Any, original: Any) -> Any:  # noqa: ARG003
        return cls._from_sequence(values)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Any]) -> Any:
        return cls._from_sequence([cell for array in to_concat for cell in array])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int | np.integer):
            return self.cells(self._rows[item : item + 1] if item != -1 else self._rows[-1:])[0]
        item = pd.api.indexers.check_array_indexer(self, item)
        return type(self)(self._rows[item], self._compute, self._known)

    def __setitem__(self, key: Any, value: Any) -> None:
        cells = np.empty(len(self), object)
        cells[:] = self.cells(self._rows)
        cells[key] = value
        self._rows, self._compute, self._known = _as_they_are(list(cells))

    def cells(self, rows: Array) -> list[Any]:
        """The cells of some rows; -1 is NA."""
        known = {} if self._known is None else self._known
        missing = [row for row in dict.fromkeys(rows.tolist()) if row not in known and row != -1]
        if missing:
            cells = self._compute(np.array(missing))
            known.update(zip(missing, cells, strict=True))
        return [known.get(row, pd.NA) for row in rows.tolist()]

    def __iter__(self) -> Any:
        return iter(self.cells(self._rows))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        cells = np.empty(len(self), object)
        cells[:] = self.cells(self._rows)
        return cells

    def __eq__(self, other: object) -> Any:
        """Cell by cell, with an array or with one value; NA equals nothing."""
        if isinstance(other, pd.Series | pd.DataFrame | pd.Index):
            return NotImplemented
        cells = self.cells(self._rows)
        others = list(other) if isinstance(other, LazyArray) else [other] * len(cells)
        return np.array(
            [a is not pd.NA and a == b for a, b in zip(cells, others, strict=True)], bool
        )

    def isna(self) -> Array:
        """Where there is nothing."""
        return np.array([cell is pd.NA for cell in self.cells(self._rows)], bool)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Any:
        """Some cells; -1 is NA with `allow_fill`."""
        rows: Any = take(self._rows, indices, allow_fill=allow_fill, fill_value=-1)
        return type(self)(rows, self._compute, self._known)

    def copy(self) -> Any:
        """An array of its own; what has been computed is shared."""
        return type(self)(self._rows.copy(), self._compute, self._known)

    def _formatter(self, boxed: bool = False) -> Callable[[Any], str]:  # noqa: FBT001, FBT002 - pandas' interface
        return str


def _as_they_are(cells: Sequence[Any]) -> tuple[Array, Compute, dict[int, Any]]:
    """Cells that need no computing, under numbers that no row has."""
    known = {-2 - n: cell for n, cell in enumerate(cells)}
    return -2 - np.arange(len(cells)), nothing, known


def nothing(rows: Array) -> list[Any]:
    """Cells that are all NA."""
    return [pd.NA] * len(rows)


def lazily(count: int, compute: Compute) -> LazyArray:
    """A column of `count` cells that `compute` makes whenever they are read."""
    return LazyArray(np.arange(count), compute)
