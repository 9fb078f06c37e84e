"""What webhook.site gives out: the answer of its API, and a CSV with the same fields as columns.

Its requests have `uuid`, `created_at` (UTC, whole seconds), `method`, `url`, `ip`, `content` and
`headers` (name to list of values; the sender's spelling and order are lost):
https://docs.webhook.site/api/requests.html. A CSV may have a column for each header instead, such
as `headers.content-type` or `headers.content-type.0`. Mails and DNS queries are left out: they are
no requests.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from webhooklab.files import csv_files
from webhooklab.files.entries import Place, entries
from webhooklab.headers import Pair
from webhooklab.loading.imported import (
    Imported,
    RowError,
    imported,
    instant,
    latin,
    target_of,
    text,
)

_FIELDS: Final = frozenset({"uuid", "created_at", "method", "url", "content"})
_PLACES: Final[tuple[Place, ...]] = (("data", None), (None,), ())
_HEAD_CHARACTERS: Final = 100_000
_is_header: Final = re.compile(r"headers?[._](.+?)(?:\.\d+)?").fullmatch


def is_csv(path: Path) -> bool:
    """Whether a CSV has its columns."""
    return set(_columns(path)) >= _FIELDS


def place(path: Path) -> Place | None:
    """Where in a JSON file its requests are; None: nowhere. Raises `ValueError` for no JSON."""
    for prefix in _PLACES:
        for first in entries(path, prefix, first=True):
            if isinstance(first, dict) and first.keys() >= {"uuid", "created_at", "content"}:
                return prefix
    return _PLACES[0] if _is_empty_page(path) else None


def _is_empty_page(path: Path) -> bool:
    """Whether it is what the API answers where nothing has come."""
    found = (list(entries(path, (name,), first=True)) for name in ("data", "is_last_page"))
    return next(found) == [[]] and next(found) == [True]


def from_json(path: Path, prefix: Place) -> Iterator[Imported]:
    """The requests at a place of a JSON file. Raises `ValueError`."""
    for number, item in enumerate(entries(path, prefix), 1):
        if (found := _read(item, f"request {number}")) is not None:
            yield found


def from_csv(path: Path) -> Iterator[Imported]:
    """The requests of a CSV. Raises `ValueError`."""
    for number, row in enumerate(csv_files.text_rows(path, _columns(path)), 1):
        if (found := _read(row, f"row {number}")) is not None:
            yield found


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        try:
            return next(csv.reader([file.readline(_HEAD_CHARACTERS)]), [])
        except csv.Error as error:
            raise ValueError(f"its first line is no CSV: {error}") from error


def _read(item: Any, where: str) -> Imported | None:
    try:
        if item.get("type") not in (None, "", "web"):
            return None
        return imported(
            received_at=instant(item["created_at"]),
            method=item["method"],
            target=target_of(item["url"]),
            headers=_headers(item),
            body=text(item.get("content") or "", "content").encode(),
            remote=item.get("ip"),
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RowError(where, error) from error


def _headers(item: dict[str, Any]) -> list[Pair]:
    listed = item.get("headers")
    if isinstance(listed, str):
        listed = json.loads(listed)
    pairs = []
    for name, values in (listed or _columns_of_headers(item)).items():
        several = values if isinstance(values, list) else [values]
        pairs += [(name, latin(text(each, name))) for each in several if each is not None]
    return pairs


def _columns_of_headers(item: dict[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for column, value in item.items():
        if named := _is_header(column):
            found.setdefault(named[1], []).append(value)
    return found
