"""Many JSON objects of known fields, read at once by Arrow: a fast path, never the definition.

Arrow reads an object several times faster than Python does, but takes some of what is no JSON, and
does not tell all apart that JSON does. So nothing is read here that could come out otherwise than
from reading each body by itself: `read` then returns None, and its caller takes the slow way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from webhooklab.columns.base import EXACT_IN_FLOAT

NULL: Final = pa.null()
"""The type of what has been null whenever it came."""

_has_empty_object: Final = re.compile(rb"\{\s*\}").search
_WHITE: Final = b" \t\r\n"
_NOT_JSON: Final = (b"NaN", b"Infinity")


def struct(fields: Mapping[str, pa.DataType]) -> pa.DataType:
    """The type of objects with these fields."""
    return pa.struct(list(fields.items()))


def cells_type(cells: Sequence[Any]) -> pa.DataType | None:
    """The type of lists, or of empty objects; None for what Arrow has no one type for."""
    try:
        found = pa.infer_type(cells)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None
    is_empty_object = pa.types.is_struct(found) and not found.num_fields
    return found if is_empty_object or pa.types.is_list(found) else None


def read(texts: Sequence[bytes], of: pa.DataType) -> pa.StructArray | None:
    """Objects of the type `of`, one for each text; None unless all are, and exactly."""
    lines = [text.strip(_WHITE) for text in texts]
    # Each begins and ends one object, and a line break is in no string: so if there are as many
    # objects as lines, each line is one.
    if not all(line[:1] == b"{" and line[-1:] == b"}" for line in lines):
        return None
    whole = b"\n".join(lines)
    if any(word in whole for word in _NOT_JSON) or not _is_utf8(whole):
        return None
    table = _parse(whole, of)
    if table is None or table.num_rows != len(lines):
        return None
    arrays = [column.combine_chunks() for column in table.columns]
    if not all(_is_exact(array, whole) for array in arrays):
        return None
    return pa.StructArray.from_arrays(arrays, fields=list(table.schema))


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def _parse(whole: bytes, of: pa.DataType) -> pa.Table | None:
    try:
        return json.read_json(
            pa.BufferReader(whole),
            read_options=json.ReadOptions(use_threads=False, block_size=len(whole) + 1),
            parse_options=json.ParseOptions(
                explicit_schema=pa.schema(list(of)),
                newlines_in_values=True,
                unexpected_field_behavior="error",
            ),
        )
    except pa.ArrowException:
        return None


def _is_exact(array: pa.Array, whole: bytes) -> bool:
    """Whether the JSON could have been no other: {} is not {"a": null}, 2**53 + 1 is not 2**53."""
    if pa.types.is_struct(array.type):
        inner = array.flatten()
        surely_filled = any(each.null_count == array.null_count for each in inner)
        if inner and not surely_filled and _has_empty_object(whole):
            return False
        return all(_is_exact(each, whole) for each in inner)
    if pa.types.is_floating(array.type):
        largest = pc.max(pc.abs(array)).as_py()
        return largest is None or largest < EXACT_IN_FLOAT
    return not pa.types.is_list(array.type) or _is_exact_inside(array.flatten())


def _is_exact_inside(array: pa.Array) -> bool:
    """The same for what is in lists, which stay as they are: absent is not null, 1 is not 1.0."""
    if pa.types.is_struct(array.type):
        inner = array.flatten()
        return not any(each.null_count for each in inner) and all(map(_is_exact_inside, inner))
    if pa.types.is_floating(array.type):
        return not pc.any(pc.equal(array, pc.floor(array))).as_py()
    return not pa.types.is_list(array.type) or _is_exact_inside(array.flatten())
