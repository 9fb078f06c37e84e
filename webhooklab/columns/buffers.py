"""Columns of numbers, times and objects, in buffers that grow ahead of what is in them.

The series that is handed out is a slice of one over the whole buffer, so pandas' copy-on-write
keeps the two apart: whoever writes into a slice gets a copy. That is so even when the one over the
whole is gone, with its column or with a buffer that became too small: see `_shared`.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from webhooklab.columns.base import Column

_FIRST_ROOM: Final = 64

_Seen = TypeVar("_Seen", pd.Series, pd.Index)


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
        times = pd.array(_read_only(self._ticks), dtype="datetime64[us, UTC]", copy=False)
        return _shared(pd.Series(times, copy=False), self._ticks)

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
        array = self._array(_read_only(self._values), _read_only(self._mask))
        return _shared(pd.Series(array, copy=False), self._values)

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
        values = _read_only(self._values)[: self.rows]
        index: pd.Index = pd.Index(values, dtype="int64", name=name, copy=False)
        return _shared(index, self._values)

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
        super().__init__()

    def _allocate(self, room: int) -> None:
        self._objects = _with_room(self._objects, self.rows, room, pd.NA)

    def _view(self) -> pd.Series:
        seen = pd.Series(_read_only(self._objects), dtype=object, copy=False)
        return _shared(seen, self._objects)

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


def _shared(seen: _Seen, buffer: np.ndarray) -> _Seen:
    """A series or an index over a buffer, which counts as one that has these values, too.

    pandas takes a slice that is the last to have them for their owner, and writes where it cannot
    instead of making a copy. It counts those who have them by weak references, and all slices keep
    the buffer alive, so there is always one more. Nothing public does that: were it gone, such a
    write would be an error.
    """
    references: Any = getattr(seen, "_references", None)
    with contextlib.suppress(AttributeError, TypeError):
        references.add_index_reference(buffer)
    return seen


def _read_only(buffer: np.ndarray) -> np.ndarray:
    view = buffer.view()
    view.flags.writeable = False
    return view
