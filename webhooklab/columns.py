"""Columns that grow: appending costs what is appended, and a frame of them costs almost nothing.

Numbers, times and objects live in buffers with room to spare. The frame that is handed out is a
slice of one over the whole buffer, so pandas' copy-on-write keeps the two apart: whoever writes
into a slice gets a copy. Text lives in Arrow chunks, which cannot be written into at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

_FIRST_ROOM: Final = 1_024
_TEXT: Final = pd.StringDtype("pyarrow", na_value=np.nan)
_INT64_MAX: Final = 2**63 - 1
_EXACT_IN_FLOAT: Final = 2**53


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

    def skip(self, count: int) -> None:
        """Add `count` rows of nothing."""
        self.append([None] * count)

    def scatter(self, rows: Sequence[int], values: Sequence[Any], count: int) -> None:
        """Add `count` rows, of which those at `rows` (from 0) hold `values`."""
        if len(values) == count:
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


class _Buffered(Column):
    """A column in buffers of one length, with a frame over all of them."""

    def __init__(self) -> None:
        super().__init__()
        self._room = 0
        self._whole = pd.Series(dtype=object)

    @abstractmethod
    def _allocate(self, room: int) -> pd.Series:
        """Make buffers for so many rows, with the present rows in them."""

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
        if self.rows + count > self._room or not self._room:
            self._room = max(_FIRST_ROOM, 2 * self.rows, self.rows + count)
            self._whole = self._allocate(self._room)

    def series(self, index: pd.RangeIndex) -> pd.Series:
        self._make_room(0)
        part = self._whole.iloc[: self.rows]
        part.index = index
        return part


class Times(_Buffered):
    """Microseconds since the epoch as `datetime64[us, UTC]`."""

    _NOTHING: Final = np.iinfo("i8").min  # NaT

    def _allocate(self, room: int) -> pd.Series:
        empty = np.full(room, self._NOTHING, "i8").view("M8[us]")
        whole = pd.Series(empty, copy=False).dt.tz_localize("UTC")
        ticks = whole.array.view("i8")
        if self.rows:
            ticks[: self.rows] = self._ticks[: self.rows]
        self._ticks: Any = ticks
        return whole

    def _write(self, start: int, values: Sequence[Any]) -> None:
        ticks = [self._NOTHING if value is None else value for value in values]
        self._ticks[start : start + len(values)] = ticks


class _Masked(_Buffered):
    """Values beside a mask that says where there is nothing."""

    _dtype: str
    _array: type[Any]

    def _allocate(self, room: int) -> pd.Series:
        values, mask = np.zeros(room, self._dtype), np.ones(room, bool)
        if self.rows:
            values[: self.rows] = self._values[: self.rows]
            mask[: self.rows] = self._mask[: self.rows]
        self._values, self._mask = values, mask
        return pd.Series(self._array(values, mask), copy=False)

    def _write(self, start: int, values: Sequence[Any]) -> None:
        stop = start + len(values)
        mask = [value is None for value in values]
        self._mask[start:stop] = mask
        self._values[start:stop] = [value or 0 for value in values] if any(mask) else values

    def scatter(self, rows: Sequence[int], values: Sequence[Any], count: int) -> None:
        start = self.rows
        self.skip(count)
        positions = np.asarray(rows, "i8") + start
        self._values[positions] = values
        self._mask[positions] = False


class Counts(_Masked):
    """Integers as `Int64`."""

    _dtype, _array = "i8", pd.arrays.IntegerArray

    def index(self, name: str) -> pd.Index:
        """The rows so far as an index; none may be without a value."""
        return pd.Index(self._values[: self.rows] if self.rows else [], dtype="int64", name=name)


class Floats(_Masked):
    """Numbers as `Float64`."""

    _dtype, _array = "f8", pd.arrays.FloatingArray


class Flags(_Masked):
    """Truth values as `boolean`."""

    _dtype, _array = "bool", pd.arrays.BooleanArray


class Objects(_Buffered):
    """Python objects as they are. `nothing` stands where there is nothing.

    Lists and dicts are handed out as copies: they are the caller's to change, like the frame.
    """

    def __init__(self, nothing: object = pd.NA) -> None:
        super().__init__()
        self._nothing = nothing
        self._has_containers = False

    def series(self, index: pd.RangeIndex) -> pd.Series:
        if not self._has_containers:
            return super().series(index)
        copies = np.empty(self.rows, object)
        copies[:] = [_copy(value) for value in self._objects[: self.rows]]
        return pd.Series(copies, dtype=object, index=index, copy=False)

    def values(self) -> list[Any]:
        objects = self._objects[: self.rows].tolist() if self.rows else []
        return [None if value is self._nothing else value for value in objects]

    def _allocate(self, room: int) -> pd.Series:
        objects = np.full(room, self._nothing, object)
        if self.rows:
            objects[: self.rows] = self._objects[: self.rows]
        self._objects = objects
        return pd.Series(objects, dtype=object, copy=False)

    def _write(self, start: int, values: Sequence[Any]) -> None:
        if not self._has_containers:
            self._has_containers = not {list, dict}.isdisjoint(map(type, values))
        for position, value in enumerate(values, start):
            self._objects[position] = self._nothing if value is None else value


def _copy(value: Any) -> Any:
    if type(value) is list:
        return [_copy(each) for each in value]
    if type(value) is dict:
        return {key: _copy(each) for key, each in value.items()}
    return value


class Texts(Column):
    """Text as `str`, in Arrow chunks that are merged as they get many."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[Any] = []

    def append(self, values: Sequence[Any]) -> None:
        self._add(pa.array(values, pa.large_string()))

    def skip(self, count: int) -> None:
        self._add(pa.nulls(count, pa.large_string()))

    def _add(self, chunk: Any) -> None:
        # Each chunk stays at least twice as long as the next, so there are few, and a row is
        # copied about as often as the number of rows can be halved.
        self.rows += len(chunk)
        while self._chunks and len(self._chunks[-1]) < 2 * len(chunk):
            chunk = pa.concat_arrays([self._chunks.pop(), chunk])
        self._chunks.append(chunk)

    def series(self, index: pd.RangeIndex) -> pd.Series:
        whole = pa.chunked_array(self._chunks, pa.large_string())
        return pd.Series(pd.arrays.ArrowStringArray(whole, dtype=_TEXT), index=index, copy=False)


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


def column_for(values: Sequence[Any]) -> Column:
    """An empty column of the narrowest kind that holds these JSON values exactly.

    None is no value. Integers and fractions together are `Float64` where that is exact; all
    other mixtures are objects.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int} and _fit(values, _INT64_MAX):
        return Counts()
    if kinds == {int, float} and _fit(values, _EXACT_IN_FLOAT):
        return Floats()
    if kinds == {str} and all(map(_is_storable, values)):
        return Texts()
    return {frozenset({bool}): Flags, frozenset({float}): Floats}.get(frozenset(kinds), Objects)()


def _fit(values: Sequence[Any], limit: int) -> bool:
    integers = [value for value in values if type(value) is int]
    return -limit <= min(integers) and max(integers) <= limit


def _is_storable(text: Any) -> bool:
    """Whether UTF-8 can spell it: JSON can carry lone surrogates, Arrow cannot."""
    try:
        return text is None or text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
