"""Cells of JSON that fit no narrower column: mixed values, lists, objects."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.columns import bulk
from webhooklab.columns.base import EXACT_IN_FLOAT
from webhooklab.columns.buffers import Objects

_SAMPLE: Final = 500
_MARSHAL_VERSION: Final = 2  # later ones look for shared objects, which JSON does not have


class Cells(Objects):
    """JSON values of any kind. Each frame gets lists and objects of its own, to change at will.

    A number without a fraction is an integer: JSON does not tell 1.0 from 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_containers = False
        self._is_new = True
        self._arrow: Any = None

    def _put(self, positions: Sequence[int], values: Sequence[Any]) -> None:
        packed = [_pack(value) for value in values]
        self._has_containers |= not _CONTAINERS.isdisjoint(map(type, packed))
        self._is_new = True
        super()._put(positions, packed)

    def series(self, index: pd.RangeIndex) -> pd.Series:
        if not self._has_containers:
            return super().series(index)
        cells = map(_unpack, self._objects[: self.rows].tolist())
        copies = np.fromiter(cells, object, count=self.rows)
        return pd.Series(copies, dtype=object, index=index, copy=False)

    def arrow_type(self) -> Any:
        if self._is_new:
            newest = self._objects[max(self.rows - _SAMPLE, 0) : self.rows].tolist()
            cells = [_unpack(value) for value in newest if type(value) is _Packed]
            is_mixed = any(type(value) is not _Packed and value is not pd.NA for value in newest)
            self._arrow = bulk.cells_type(cells) if cells and not is_mixed else None
            self._is_new = False
        return self._arrow

    def extend(self, array: Any) -> None:
        super().extend(array)
        self._is_new = False  # all of one type, which is known

    def values(self) -> list[Any]:
        objects = self._objects[: self.rows].tolist()
        return [None if value is pd.NA else _unpack(value) for value in objects]


class _Packed(bytes):
    """A list or object in Python's own binary format, which keeps all that JSON can say."""

    __slots__ = ()


_CONTAINERS: Final = frozenset({_Packed, list, dict})


def _pack(value: Any) -> Any:
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < EXACT_IN_FLOAT else value
    if type(value) is not list and type(value) is not dict:
        return value
    try:
        return _Packed(marshal.dumps(value, _MARSHAL_VERSION))
    except ValueError:  # an integer of thousands of digits, or nested deeper than marshal goes
        return value


def _unpack(value: Any) -> Any:
    # What is read here was packed above: nothing from outside gets here.
    return marshal.loads(value) if type(value) is _Packed else _copy(value)  # noqa: S302


def _copy(value: Any) -> Any:
    """A copy of JSON, all lists and objects in it included. However deep: it does not recurse."""
    if type(value) is not list and type(value) is not dict:
        return value
    made = value.copy()
    waiting: list[Any] = [made]
    while waiting:
        at = waiting.pop()
        for key, child in at.items() if type(at) is dict else enumerate(at):
            if type(child) is list or type(child) is dict:
                at[key] = child.copy()
                waiting.append(at[key])
    return made
