"""CSV: for spreadsheets and people. Nothing is lost, and no cell is a formula.

`""` is an empty text, nothing at all is NA. A text cell that begins like a formula gets one
leading `'`, which reading takes off again (OWASP, "CSV Injection"). That is so where the comma is
taken for the end of a cell, as in this file: a program that is told to cut at semicolons or tabs
only, as some are by the user's country, makes cells of what stands between those in a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from webhooklab.defaults import MAX_IMPORTED_ROW_BYTES
from webhooklab.files.tables import ENCODING, TYPES, raw_bodies, text_bodies, text_file_type
from webhooklab.records import EVENT_COLUMNS
from webhooklab.whole import check_ends_with_a_line

_RISKY: Final = r"^[=+\-@\t\r\n']"
_FIRST_BLOCK_BYTES: Final = 16 * 2**20
_LARGEST_BLOCK_BYTES: Final = 2**31 - 1


def write(file: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """Write tables of one schema, one after the other."""
    writer = None
    for table in tables:
        shown = _times_as_text(_guarded(text_bodies(table)))
        writer = writer or csv.CSVWriter(file, shown.schema)
        writer.write_table(shown)
    if writer is not None:
        writer.close()


def read(path: Path) -> pa.Table:
    """Read what `write` wrote. Raises `pyarrow.ArrowException` or `ValueError` for all else."""
    check_ends_with_a_line(path)
    _check_quotes(path)
    try:
        table = _read(path, _FIRST_BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        if "block" not in str(error):
            raise
        table = _read(path, min(path.stat().st_size + 1, _LARGEST_BLOCK_BYTES))
    return raw_bodies(_unguarded(table))


def stream(path: Path) -> Iterator[pa.Table]:
    """What `write` wrote, some rows at a time. Raises as `read`."""
    check_ends_with_a_line(path)
    _check_quotes(path)
    for table in _stream(path, _types()):
        yield raw_bodies(_unguarded(table))


def text_rows(path: Path, names: Iterable[str]) -> Iterator[dict[str, str | None]]:
    """The rows of any CSV with these columns, as text; a row may have `MAX_IMPORTED_ROW_BYTES`.

    Raises `ValueError`.
    """
    try:
        for table in _stream(path, dict.fromkeys(names, pa.large_string())):
            yield from table.to_pylist()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error


def _stream(path: Path, types: dict[str, pa.DataType]) -> Iterator[pa.Table]:
    with csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=MAX_IMPORTED_ROW_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=_conversions(types),
    ) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _check_quotes(path: Path) -> None:
    # Arrow reads a quoted body that was cut short as if it ended there.
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(2**20), b""))
    if quotes % 2:
        raise ValueError("it ends in the middle of a quoted cell")


def _read(path: Path, block_bytes: int) -> pa.Table:
    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(block_size=block_bytes),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=_conversions(_types()),
    )


def _types() -> dict[str, pa.DataType]:
    return {name: text_file_type(name) for name in ("seq", *EVENT_COLUMNS, ENCODING)}


def _conversions(types: dict[str, pa.DataType]) -> csv.ConvertOptions:
    return csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def _times_as_text(table: pa.Table) -> pa.Table:
    # As Arrow would write them, which takes it many times as long when there is a time zone.
    zone, nothing = pa.scalar("Z", pa.large_string()), pa.scalar("", pa.large_string())
    for position, field in enumerate(table.schema):
        if field.type == TYPES["time"]:
            text = table[position].cast(pa.timestamp("us")).cast(pa.large_string())
            text = pc.binary_join_element_wise(text, zone, nothing)
            table = table.set_column(position, field.name, text)
    return table


def _guarded(table: pa.Table) -> pa.Table:
    return _each_text(table, lambda text: pc.replace_substring_regex(text, f"({_RISKY})", r"'\1"))


def _unguarded(table: pa.Table) -> pa.Table:
    return _each_text(table, lambda text: pc.replace_substring_regex(text, "^'", ""))


def _each_text(table: pa.Table, change: Any) -> pa.Table:
    for position, field in enumerate(table.schema):
        if (
            field.type == pa.large_string()
            and pc.any(pc.match_substring_regex(table[position], _RISKY)).as_py()
        ):
            table = table.set_column(position, field, change(table[position]))
    return table
