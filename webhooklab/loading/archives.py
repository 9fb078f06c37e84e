"""HTTP archives of browsers, mitmproxy and others: what they sent, as deliveries.

http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from webhooklab.files.entries import entries
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

PLACE: Final = ("log", "entries", None)


def deliveries(path: Path) -> Iterator[Imported]:
    """The requests of an archive, in order. Raises `ValueError`."""
    for number, entry in enumerate(entries(path, PLACE), 1):
        try:
            yield _read(entry)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RowError(f"entry {number}", error) from error


def _read(entry: dict[str, Any]) -> Imported:
    request = entry["request"]
    response = entry.get("response") or {}
    return imported(
        received_at=instant(entry["startedDateTime"]),
        method=request["method"],
        target=target_of(request["url"]),
        headers=_headers(request.get("headers") or []),
        body=_body(request.get("postData") or {}),
        status=response.get("status"),
    )


def _headers(listed: list[dict[str, Any]]) -> list[Pair]:
    pairs = [(text(each["name"], "name"), latin(text(each["value"], "value"))) for each in listed]
    # HTTP/2's ":authority" and its like are no header fields (RFC 9113, section 8.3).
    return [(name, value) for name, value in pairs if not name.startswith(":")]


def _body(data: dict[str, Any]) -> bytes:
    written = data.get("text") or ""
    if data.get("encoding") == "base64":
        return base64.b64decode(written, validate=True)
    if not written and data.get("params"):
        return urlencode(
            [(each["name"], each.get("value", "")) for each in data["params"]]
        ).encode()
    return text(written, "postData").encode()
