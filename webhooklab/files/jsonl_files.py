"""JSON Lines: one delivery a line, for scripts and for `jq`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa

from webhooklab.defaults import MAX_IMPORTED_ROW_BYTES
from webhooklab.files.tables import ENCODING, raw_bodies, text_bodies, text_file_type
from webhooklab.instants import parse_instant
from webhooklab.records import EVENT_COLUMNS
from webhooklab.whole import check_ends_with_a_line

_TIMES: Final = [name for name, kind in EVENT_COLUMNS.items() if kind == "time"]
_SLICE_ROWS: Final = 1_000
_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def write(file: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """Write tables, one row a line."""
    for table in tables:
        rows = text_bodies(table).to_pylist()
        file.writelines(orjson.dumps(row, option=_OPTIONS) for row in rows)


def read(path: Path) -> pa.Table:
    """Read what `write` wrote. Raises `ValueError` for a line that is not a delivery."""
    check_ends_with_a_line(path)
    with path.open("rb") as file:
        return _table([_row(line, number) for number, line in enumerate(file, 1)])


def stream(path: Path) -> Iterator[pa.Table]:
    """What `write` wrote, some rows at a time. Raises as `read`."""
    check_ends_with_a_line(path)
    rows: list[dict[str, Any]] = []
    size = 0
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(MAX_IMPORTED_ROW_BYTES + 1), b"")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_IMPORTED_ROW_BYTES:
                raise ValueError(f"line {number} has more than {MAX_IMPORTED_ROW_BYTES} bytes")
            if rows and (len(rows) == _SLICE_ROWS or size + len(line) > MAX_IMPORTED_ROW_BYTES):
                yield _table(rows)
                rows, size = [], 0
            rows.append(_row(line, number))
            size += len(line)
    yield _table(rows)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    seen = {name for row in rows for name in row} or {"seq", *EVENT_COLUMNS}
    known = [name for name in ("seq", *EVENT_COLUMNS, ENCODING) if name in seen]
    names = [*known, *sorted(seen.difference(known))]
    columns = {name: [row.get(name) for row in rows] for name in names}
    fields = [(name, text_file_type(name)) for name in names]
    return raw_bodies(pa.table(columns, schema=pa.schema(fields)))


def _row(line: bytes, number: int) -> dict[str, Any]:
    row = orjson.loads(line)
    if not isinstance(row, dict) or "seq" not in row:
        raise ValueError(f"line {number} is not a delivery")
    for name in _TIMES:
        if row.get(name) is not None:
            row[name] = parse_instant(row[name])
            if row[name] is None:
                raise ValueError(f"line {number} has no time in {name}")
    return row
