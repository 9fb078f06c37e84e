"""Files that `lab.export` wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from webhooklab import files
from webhooklab.instants import is_instant
from webhooklab.loading.imported import Imported, RowError, imported

_NEEDED: Final = ("received_at", "method", "path", "query_string", "headers_json", "body")
_USED: Final = (*_NEEDED, "remote", "status")


def deliveries(path: Path) -> Iterator[Imported]:
    """The deliveries of an export, in order. Raises `ValueError`."""
    number = 0
    for table in files.stream(path):
        missing = [name for name in _NEEDED if name not in table.column_names]
        if missing:
            raise ValueError(f"it has no column {missing[0]}: export rows of lab.events, whole")
        used = table.select([name for name in _USED if name in table.column_names])
        # Times as they are in Arrow, microseconds, and not as a datetime each.
        times = used["received_at"].cast("int64").to_pylist()
        for when, row in zip(times, used.drop_columns("received_at").to_pylist(), strict=True):
            number += 1
            yield _read(when, row, number)


def _read(when: int | None, row: dict[str, Any], number: int) -> Imported:
    try:
        query = row["query_string"]
        return imported(
            received_at=_known(when),
            method=row["method"],
            target=f"{row['path']}?{query}" if query else row["path"],
            headers=_headers(row["headers_json"]),
            body=row["body"] or b"",
            remote=row.get("remote"),
            status=row.get("status"),
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise RowError(f"row {number}", error) from error


def _known(when: int | None) -> int:
    if when is None or not is_instant(when):
        raise ValueError(f"no time of receipt in {when}")
    return when


def _headers(text: str | None) -> list[Any]:
    pairs = json.loads(text or "[]")
    if not isinstance(pairs, list):
        raise ValueError("headers_json is no list")  # noqa: TRY004 - one error for all
    return pairs
