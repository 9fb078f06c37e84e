"""Which kind of column holds JSON values exactly: the narrowest, and wider ones as values come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from webhooklab.columns.base import EXACT_IN_FLOAT, Column
from webhooklab.columns.buffers import Counts, Flags, Floats
from webhooklab.columns.cells import Cells
from webhooklab.columns.texts import Texts

_INT64_MAX: Final = 2**63 - 1


def column_for(values: Sequence[Any]) -> Column:
    """An empty column of the narrowest kind that holds these JSON values exactly.

    None is no value. Integers and fractions together are `Float64` where that is exact; all
    other mixtures are objects.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str} and _are_storable(values):
        return Texts()
    if kinds == {int} and _fit(values, _INT64_MAX):
        return Counts()
    if kinds == {float} or (kinds == {int, float} and _fit(values, EXACT_IN_FLOAT)):
        return Floats()
    return Flags() if kinds == {bool} else Cells()


def widened(column: Column | None, values: Sequence[Any]) -> Column:
    """The column, or one of a wider kind with the same rows, that holds these values too."""
    if isinstance(column, Cells):
        return column
    needed = column_for(values)
    if column is None or type(needed) is type(column):
        return column or needed
    if isinstance(column, Floats) and type(column_for([*values, 0.5])) is Floats:
        return column
    before = column.values()
    wider = column_for([*before, *values])
    wider.append(before)
    return wider


def _fit(values: Sequence[Any], limit: int) -> bool:
    integers = [value for value in values if type(value) is int]
    return -limit <= min(integers) and max(integers) <= limit


def _are_storable(texts: Sequence[Any]) -> bool:
    """Whether UTF-8 can spell all of them: JSON can carry lone surrogates, Arrow cannot."""
    try:
        "".join(filter(None, texts)).encode()
    except UnicodeEncodeError:
        return False
    return True
