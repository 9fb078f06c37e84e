"""Deliveries as Arrow tables: the form in which they are masked, written and read."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from webhooklab.columns import text_series
from webhooklab.errors import FileFormatError
from webhooklab.records import EVENT_COLUMNS, Kind
from webhooklab.redaction import MASK, SECRET_HEADER, mask_query
from webhooklab.store import Chunk

TYPES: Final[dict[Kind, pa.DataType]] = {
    "time": pa.timestamp("us", tz="UTC"),
    "text": pa.large_string(),
    "count": pa.int64(),
    "bytes": pa.large_binary(),
}
ENCODING: Final = "body_encoding"
"""In files of text: "base64" where a body is not plain text, else empty."""

_SECRET_PAIR: Final = rf'(?i)(\[\s*"(?:{SECRET_HEADER})"\s*,\s*")(?:[^"\\]|\\.)*(")'
_NOT_PLAIN: Final = "[\\x00\\r]|^\ufeff"


def schema(names: Iterable[str] = EVENT_COLUMNS) -> pa.Schema:
    """The types of columns of `lab.events`, `seq` first."""
    fields = [(name, TYPES[EVENT_COLUMNS[name]]) for name in names]
    return pa.schema([("seq", pa.int64()), *fields])


def text_file_type(name: str) -> pa.DataType:
    """The type of a column of `schema` where bodies are text, as they are in files of text."""
    if name in EVENT_COLUMNS and name != "body":
        return TYPES[EVENT_COLUMNS[name]]
    return pa.int64() if name == "seq" else pa.large_string()


def table_from_chunk(chunk: Chunk) -> pa.Table:
    """A table of rows as the store gives them."""
    names = [name for name in EVENT_COLUMNS if name in chunk]
    return pa.table({name: chunk[name] for name in ("seq", *names)}, schema=schema(names))


def table_from_frame(events: pd.DataFrame) -> pa.Table:
    """A table of rows of `lab.events`. Raises `FileFormatError` for another frame."""
    names = [name for name in EVENT_COLUMNS if name in events.columns]
    if events.index.name != "seq" or not names:
        raise FileFormatError(
            "Only rows of lab.events can be exported (index seq, its columns): for another frame "
            "use its own to_csv or to_parquet."
        )
    arrays = [pa.array(events.index, pa.int64())]
    arrays += [_array(events[name]) for name in names]
    return pa.table(arrays, schema=schema(names))


def _array(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    arrow_type = TYPES[EVENT_COLUMNS[str(column.name)]]
    try:
        array = pa.array(column, from_pandas=True)
        return array if array.type == arrow_type else array.cast(arrow_type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"The column {column.name!r} no longer holds what lab.events has there: {error}. "
            "Export the rows as they were, or use the frame's own to_csv or to_parquet."
        ) from error


def masked(table: pa.Table) -> pa.Table:
    """The table with credentials in headers and query strings replaced by `***`."""
    if "headers_json" in table.column_names:
        headers = table["headers_json"]
        mask = rf"\1{MASK}\2"
        table = _replace(
            table, "headers_json", pc.replace_substring_regex(headers, _SECRET_PAIR, mask)
        )
    if "query_string" in table.column_names:
        queries = table["query_string"].combine_chunks().dictionary_encode()
        shown = pa.array([mask_query(each) for each in queries.dictionary.to_pylist()])
        table = _replace(table, "query_string", shown.take(queries.indices))
    return table


def _replace(table: pa.Table, name: str, column: Any) -> pa.Table:
    position = table.column_names.index(name)
    field = table.schema.field(position)
    return table.set_column(position, field, column.cast(field.type))


def text_bodies(table: pa.Table) -> pa.Table:
    """Bodies as text, for files of text; `body_encoding` says which are base64.

    Base64 are those that are not UTF-8, or have NUL, CR or a byte order mark, which files of text
    and the programs that open them do not keep.
    """
    if "body" not in table.column_names:
        return table
    bodies = table["body"].combine_chunks()
    text, plain = _plain_text(bodies)
    if not plain.all():
        encoded = map(_as_text, bodies.to_pylist(), plain)
        text = pa.array(list(encoded), pa.large_string())
    encodings = pa.array([None if each else "base64" for each in plain], pa.large_string())
    position = table.column_names.index("body")
    with_text = table.set_column(position, pa.field("body", pa.large_string()), text)
    return with_text.add_column(position, pa.field(ENCODING, pa.large_string()), encodings)


def _plain_text(bodies: Any) -> tuple[Any, np.ndarray]:
    """Bodies as text where they are plain, and which are."""
    try:
        text = bodies.cast(pa.large_string())
    except pa.ArrowInvalid:  # some are not UTF-8: look at each
        return None, np.array([_is_plain(body) for body in bodies.to_pylist()], bool)
    return text, ~np.asarray(pc.match_substring_regex(text, _NOT_PLAIN).fill_null(False))


def _as_text(body: bytes | None, is_plain: bool) -> str | None:  # noqa: FBT001 - one of a pair
    if body is None:
        return None
    return body.decode() if is_plain else base64.b64encode(body).decode()


def _is_plain(body: bytes | None) -> bool:
    try:
        text = (body or b"").decode()
    except UnicodeDecodeError:
        return False
    return "\0" not in text and "\r" not in text and not text.startswith("\ufeff")


def raw_bodies(table: pa.Table) -> pa.Table:
    """The reverse of `text_bodies`. Raises `ValueError` for base64 that is none."""
    if ENCODING not in table.column_names:
        return table
    encodings = table[ENCODING]
    bodies = table["body"].cast(pa.large_binary())
    if encodings.null_count < len(encodings):
        decoded = [
            base64.b64decode(body, validate=True) if encoding == "base64" else body
            for body, encoding in zip(bodies.to_pylist(), encodings.to_pylist(), strict=True)
        ]
        bodies = pa.chunked_array([pa.array(decoded, pa.large_binary())])
    position = table.column_names.index("body")
    return table.set_column(position, "body", bodies).drop_columns([ENCODING])


def events_frame(path: Path, table: pa.Table) -> pd.DataFrame:
    """The events frame of a table that was read. Raises `FileFormatError` for another table."""
    known = [name for name in EVENT_COLUMNS if name in table.column_names]
    unknown = set(table.column_names) - {"seq", *EVENT_COLUMNS}
    if "seq" not in table.column_names or unknown or table["seq"].null_count:
        raise FileFormatError(
            f"{path} holds no deliveries exported by webhooklab"
            + (f" (unknown columns: {', '.join(sorted(unknown))})." if unknown else ".")
        )
    columns = {name: _series(table[name], EVENT_COLUMNS[name]) for name in known}
    index = pd.Index(table["seq"].to_numpy(), dtype="int64", name="seq")
    frame = pd.DataFrame(columns, copy=False)
    frame.index = index
    return frame


def _series(column: pa.ChunkedArray, kind: Kind) -> pd.Series:
    typed = column.cast(TYPES[kind])
    if kind == "text":
        return text_series(typed)
    if kind == "count":
        dtype: Any = pd.Int64Dtype()
        return pd.Series(dtype.__from_arrow__(typed), copy=False)
    if kind == "time":
        times: pd.Series = typed.to_pandas().astype("datetime64[us, UTC]")
        return times
    bodies = [pd.NA if body is None else body for body in typed.to_pylist()]
    return pd.Series(bodies, dtype=object)
