"""Text, in Arrow chunks that nobody can write into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from webhooklab.columns.base import Column

_TEXT: Final = pd.StringDtype("pyarrow", na_value=np.nan)


class Texts(Column):
    """Text as `str`, in Arrow chunks that are merged as they get many."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[Any] = []

    def append(self, values: Sequence[Any]) -> None:
        self._add(pa.array(values, pa.large_string()))

    def arrow_type(self) -> Any:
        return pa.string()

    def extend(self, array: Any) -> None:
        self._add(array.cast(pa.large_string()))

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
        return text_series(whole, index)


def text_series(text: pa.ChunkedArray, index: pd.Index | None = None) -> pd.Series:
    """Arrow's large strings as a `str` series, without copying them."""
    array: Any = pd.arrays.ArrowStringArray
    return pd.Series(array(text, dtype=_TEXT), index=index, copy=False)
