"""Captures leave as .csv, .jsonl, .parquet or .har, and come back byte for byte.

A file appears whole or not at all, for its owner only. Credentials are masked unless asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa

from webhooklab import progress
from webhooklab.errors import (
    CaptureFileError,
    ExportError,
    FileFormatError,
    ForkedError,
)
from webhooklab.files import csv_files, har_files, jsonl_files, parquet_files
from webhooklab.files.tables import (
    events_frame,
    masked,
    schema,
    table_from_chunk,
    table_from_frame,
)
from webhooklab.records import EVENT_COLUMNS
from webhooklab.store import Store
from webhooklab.views import Views
from webhooklab.whole import written_whole

_FORMATS: dict[str, ModuleType] = {
    ".csv": csv_files,
    ".jsonl": jsonl_files,
    ".parquet": parquet_files,
    ".har": har_files,
}
_FRAME_SLICE_ROWS = 20_000


def export_store(path: Path, store: Store, *, secrets: bool, overwrite: bool) -> Path:
    """Export all deliveries of a capture file, as they are at one moment, in bounded memory."""
    with store.reading() as connection:
        rows = map(table_from_chunk, store.chunks(connection))
        tables = chain([schema().empty_table()], rows)
        return _export(path, tables, store.count(), secrets=secrets, overwrite=overwrite)


def export_frame(path: Path, events: pd.DataFrame, *, secrets: bool, overwrite: bool) -> Path:
    """Export rows of `lab.events`. Columns that are missing stay missing."""
    if not isinstance(events, pd.DataFrame):
        raise FileFormatError(
            f"{type(events).__name__} cannot be exported: pass rows of lab.events, like lab[41:44] "
            "or lab.events.loc[[42]]."
        )
    starts = range(0, max(len(events), 1), _FRAME_SLICE_ROWS)
    slices = (events.iloc[start : start + _FRAME_SLICE_ROWS] for start in starts)
    tables = (table_from_frame(part) for part in slices)
    return _export(path, tables, len(events), secrets=secrets, overwrite=overwrite)


def export_capture(
    path: Path, out: Path, *, where: str | None, secrets: bool, overwrite: bool
) -> Path:
    """Export what a capture file holds, or the rows that a filter finds, without a Lab."""
    store = _open_capture(path)
    try:
        if where is None:
            return export_store(out, store, secrets=secrets, overwrite=overwrite)
        found = Views(store).find(where, columns=tuple(EVENT_COLUMNS))
        return export_frame(out, found, secrets=secrets, overwrite=overwrite)
    finally:
        store.close()


def _export(
    path: Path, tables: Iterable[pa.Table], rows: int, *, secrets: bool, overwrite: bool
) -> Path:
    path = path.expanduser()
    writer = _format_of(path)
    if path.exists() and not overwrite:
        raise ExportError(f"{path} exists: choose another name, or pass overwrite=True.")
    shown = tables if secrets else map(masked, tables)
    with progress.bar(rows, f"writing {path.name}") as advance, written_whole(path) as file:
        writer.write(file, _counted(shown, advance))
    return path


def _counted(tables: Iterable[pa.Table], advance: Any) -> Iterable[pa.Table]:
    for table in tables:
        yield table
        advance(table.num_rows)


def read(path: str | Path) -> pd.DataFrame:
    """The events frame from a capture file, or from a file that `lab.export` wrote.

    The same columns, dtypes and index as `lab.events`; bodies byte for byte. What was masked in
    the export stays masked. Raises `FileFormatError` for a file that is damaged or not ours,
    `CaptureFileError` for a capture file that cannot be read.
    """
    source = Path(path).expanduser().resolve()
    if not source.exists():
        raise FileFormatError(f"There is no file {source}: check the path.")
    if source.suffix.lower() in _FORMATS:
        return _read_export(source)
    return _read_capture(source)


def stream(path: Path) -> Iterator[pa.Table]:
    """What `lab.export` wrote, some rows at a time: columns of `lab.events`, and `seq`.

    Raises `ValueError` for what is damaged or not ours.
    """
    try:
        for table in _format_of(path).stream(path):
            unknown = set(table.column_names) - {"seq", *EVENT_COLUMNS}
            if unknown:
                raise ValueError(f"its columns {', '.join(sorted(unknown))} are not lab.events'")
            yield table
    except (pa.ArrowException, KeyError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _read_export(path: Path) -> pd.DataFrame:
    try:
        return events_frame(path, _format_of(path).read(path))
    except (pa.ArrowException, ValueError, KeyError, OverflowError, OSError) as error:
        raise FileFormatError(
            f"{path} cannot be read: {error}. It is damaged, or was not written by webhooklab; "
            "export it again."
        ) from error


def _read_capture(path: Path) -> pd.DataFrame:
    store = _open_capture(path)
    try:
        return Views(store).events()
    finally:
        store.close()


def _open_capture(path: Path) -> Store:
    try:
        return Store(path.resolve(), write=False)
    except ForkedError:
        raise
    except CaptureFileError as error:
        known = ", ".join(_FORMATS)
        raise FileFormatError(f"{error} (Exported files end in {known}.)") from error


def _format_of(path: Path) -> ModuleType:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise FileFormatError(
            f"{path.name}: the suffix {path.suffix!r} is unknown; choose one of "
            f"{', '.join(_FORMATS)}."
        ) from None
