"""Parquet: small, typed, bodies as they are; for pandas, DuckDB, Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import parquet

_SLICE_ROWS: Final = 500


def write(file: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """Write tables of one schema, one row group each."""
    writer = None
    for table in tables:
        writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
        if table.num_rows:
            writer.write_table(table)
    if writer is not None:
        writer.close()


def read(path: Path) -> pa.Table:
    """Read what `write` wrote. Raises `pyarrow.ArrowException` for what is not Parquet."""
    return parquet.ParquetFile(path).read()


def stream(path: Path) -> Iterator[pa.Table]:
    """What `write` wrote, some rows at a time. Raises as `read`."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(_SLICE_ROWS, use_threads=False):
            yield pa.Table.from_batches([batch])
