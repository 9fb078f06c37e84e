"""Columns of numbers, times and objects, in buffers that grow ahead of what is in them.

The series that is handed out is a slice of one over the whole buffer, so pandas' copy-on-write
keeps the two apart: whoever writes into a slice gets a copy.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from webhooklab.columns.base import Column

_FIRST_ROOM: Final = 64


class _Buffered(Column):
    """A column in buffers with room to spare, seen through one series over all of the room."""

    def __init__(self) -> None:
        super().__init__()
        self._room = 0
        self._whole: pd.Series | None = None

    @abstractmethod
    def _allocate(self, room: int) -> None:
        """Make buffers for so many rows, with the present rows in them."""

    @abstractmethod
    def _view(self) -> pd.Series:
        """All of the buffers, as read-only views.

        Read-only, so that `series.array[0] = ...`, which copy-on-write does not see, is an error.
        """

    @abstractmethod
    def _write(self, start: int, values: Sequence[Any]) -> None:
        """Put values into the buffers, from row `start` on."""

    def append(self, values: Sequence[Any]) -> None:
        self._make_room(len(values))
        self._write(self.rows, values)
        self.rows += len(values)

    def skip(self, count: int) -> None:
        # The room ahead is empty already.
        self._make_room(count)
        self.rows += count

    def _make_room(self, count: int) -> None:
        if self.rows + count > self._room:
            self._room = max(_FIRST_ROOM, 2 * self.rows, self.rows + count)
            self._allocate(self._room)
            self._whole = None

    def series(self, index: pd.RangeIndex) -> pd.Series:
        if self._whole is None:
            self._whole = self._view()
        part = self._whole.iloc[: self.rows]
        part.index = index
        return part


class Times(_Buffered):
    """Microseconds since the epoch as `datetime64[us, UTC]`."""

    _NOTHING: Final = np.iinfo("i8").min  # NaT

    def __init__(self) -> None:
        self._ticks = np.empty(0, "i8")
        super().__init__()

    def _allocate(self, room: int) -> None:
        self._ticks = _with_room(self._ticks, self.rows, room, self._NOTHING)

    def _view(self) -> pd.Series:
        ticks = _Kept(self._ticks)
        times = pd.array(np.asarray(ticks), dtype="datetime64[us, UTC]", copy=False)
        return _keeping(pd.Series(times, copy=False), ticks)

    def _write(self, start: int, values: Sequence[Any]) -> None:
        ticks = [self._NOTHING if value is None else value for value in values]
        self._ticks[start : start + len(values)] = ticks
        if not self._is_seen():
            self._whole = None

    def _is_seen(self) -> bool:
        """Whether what is written appears in the series: pandas might make it of a copy."""
        whole: Any = self._whole
        return whole is not None and np.may_share_memory(whole.array.asi8, self._ticks)


class _Masked(_Buffered):
    """Values beside a mask that says where there is nothing."""

    _dtype: str
    _array: type[Any]
    _arrow: Any

    def __init__(self) -> None:
        self._values: np.ndarray = np.empty(0, self._dtype)
        self._mask: np.ndarray = np.empty(0, bool)
        super().__init__()

    def _allocate(self, room: int) -> None:
        self._values = _with_room(self._values, self.rows, room, 0)
        self._mask = _with_room(self._mask, self.rows, room, nothing=True)

    def _view(self) -> pd.Series:
        kept = _Kept(self._values), _Kept(self._mask)
        array = self._array(*(np.asarray(each) for each in kept))
        return _keeping(pd.Series(array, copy=False), *kept)

    def _write(self, start: int, values: Sequence[Any]) -> None:
        stop = start + len(values)
        if None in values:
            self._mask[start:stop] = [value is None for value in values]
            values = [0 if value is None else value for value in values]
        else:
            self._mask[start:stop] = False
        self._values[start:stop] = values

    def arrow_type(self) -> Any:
        return self._arrow

    def extend(self, array: Any) -> None:
        start = self.rows
        self.skip(len(array))
        nothing = pa.scalar(0).cast(array.type)
        filled = array.fill_null(nothing)
        self._values[start : self.rows] = filled.to_numpy(zero_copy_only=False)
        self._mask[start : self.rows] = array.is_null().to_numpy(zero_copy_only=False)

    def scatter(self, rows: Sequence[int], values: Sequence[Any], count: int) -> None:
        start = self.rows
        self.skip(count)
        positions = np.asarray(rows, "i8") + start
        self._values[positions] = values
        self._mask[positions] = False


class Counts(_Masked):
    """Integers as `Int64`."""

    _dtype, _array, _arrow = "i8", pd.arrays.IntegerArray, pa.int64()

    def index(self, name: str) -> pd.Index:
        """The rows so far as an index; none may be without a value."""
        index: pd.Index = pd.Index(_read_only(self._values)[: self.rows], dtype="int64", name=name)
        return index

    def put(self, rows: np.ndarray, values: Sequence[int | None]) -> None:
        """Change rows (from 0) that are there. Frames that were handed out stay as they are."""
        self._values, self._mask = self._values.copy(), self._mask.copy()
        self._whole = None
        self._mask[rows] = [value is None for value in values]
        self._values[rows] = [value or 0 for value in values]

    def places(self, values: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Where each value is, in a column that goes up: from which row, and up to which."""
        filled = self._values[: self.rows]
        return np.searchsorted(filled, values, "left"), np.searchsorted(filled, values, "right")


class Floats(_Masked):
    """Numbers as `Float64`."""

    _dtype, _array, _arrow = "f8", pd.arrays.FloatingArray, pa.float64()


class Flags(_Masked):
    """Truth values as `boolean`."""

    _dtype, _array, _arrow = "bool", pd.arrays.BooleanArray, pa.bool_()


class Objects(_Buffered):
    """Python objects that cannot change, as they are; NA where there is nothing."""

    def __init__(self) -> None:
        self._objects: np.ndarray = np.empty(0, object)
        self._earlier: list[pd.Series] = []
        """Series over buffers that were too small: kept as `_Kept` says, which takes no objects."""
        super().__init__()

    def _allocate(self, room: int) -> None:
        if self._whole is not None:
            self._earlier.append(self._whole)
        self._objects = _with_room(self._objects, self.rows, room, pd.NA)

    def _view(self) -> pd.Series:
        return pd.Series(_read_only(self._objects), dtype=object, copy=False)

    def _write(self, start: int, values: Sequence[Any]) -> None:
        self._put(range(start, start + len(values)), values)

    def scatter(self, rows: Sequence[int], values: Sequence[Any], count: int) -> None:
        start = self.rows
        self.skip(count)
        self._put([start + row for row in rows], values)

    def _put(self, positions: Sequence[int], values: Sequence[Any]) -> None:
        # One by one: from a list of lists NumPy would make a table.
        for position, value in zip(positions, values, strict=True):
            self._objects[position] = pd.NA if value is None else value


def _with_room(buffer: np.ndarray, rows: int, room: int, nothing: object) -> np.ndarray:
    """The buffer, or a larger one with the same first `rows`, when it has less than `room`."""
    if len(buffer) >= room:
        return buffer
    larger = np.full(max(room, 2 * rows), nothing, buffer.dtype)
    larger[:rows] = buffer[:rows]
    return larger


class _Kept:
    """A buffer to be seen read-only. All that is seen of it keeps alive what it `keeps`.

    That is one more owner for pandas: without one it takes a slice for the only owner, once the
    series over all of the buffer is gone, and writes where it cannot instead of making a copy.
    """

    def __init__(self, buffer: np.ndarray) -> None:
        said = buffer.__array_interface__
        self.__array_interface__ = said | {"data": (said["data"][0], True)}
        self._buffer = buffer
        self.keeps: object = None


def _keeping(series: pd.Series, *buffers: _Kept) -> pd.Series:
    # A block of its own, and not the series: that leads to the buffer again, by way of NumPy's
    # arrays, which no garbage collector looks into, and neither would ever be let go of.
    owner: Any = pd.Series([0])
    whole: Any = series
    # Where pandas comes to count its owners otherwise, frames are read as before.
    with contextlib.suppress(AttributeError, TypeError):
        block = owner._mgr.blocks[0]  # noqa: SLF001 - nothing public says it
        whole._mgr.blocks[0].refs.add_reference(block)  # noqa: SLF001 - likewise
        for each in buffers:
            each.keeps = block
    return series


def _read_only(buffer: np.ndarray) -> np.ndarray:
    view = buffer.view()
    view.flags.writeable = False
    return view
