"""JSON Lines: one delivery a line, for scripts and for `jq`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa

from webhooklab.files.tables import ENCODING, TYPES, raw_bodies, text_bodies
from webhooklab.instants import parse_instant
from webhooklab.records import EVENT_COLUMNS

_TIMES: Final = [name for name, kind in EVENT_COLUMNS.items() if kind == "time"]


def write(file: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """Write tables, one row a line."""
    for table in tables:
        for row in text_bodies(table).to_pylist():
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))


def read(path: Path) -> pa.Table:
    """Read what `write` wrote. Raises `ValueError` for a line that is not a delivery."""
    with path.open("rb") as file:
        rows = [_row(line, number) for number, line in enumerate(file, 1)]
    names = ["seq", *(name for name in (*EVENT_COLUMNS, ENCODING) if rows and name in rows[0])]
    fields = [(name, _type(name)) for name in names]
    columns = {name: [row.get(name) for row in rows] for name in names}
    return raw_bodies(pa.table(columns, schema=pa.schema(fields)))


def _row(line: bytes, number: int) -> dict[str, Any]:
    row = orjson.loads(line)
    if not isinstance(row, dict) or "seq" not in row:
        raise ValueError(f"line {number} is not a delivery")
    for name in _TIMES:
        if row.get(name) is not None:
            row[name] = parse_instant(row[name])
    return row


def _type(name: str) -> pa.DataType:
    if name in ("body", ENCODING):
        return pa.large_string()
    return TYPES[EVENT_COLUMNS[name]] if name in EVENT_COLUMNS else pa.int64()
