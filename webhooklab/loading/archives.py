"""HTTP archives of browsers, mitmproxy and others: what they sent, as deliveries.

http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from webhooklab import bodies
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
_WEB: Final = ("http:", "https:", "ws:", "wss:")
_MITMPROXY: Final = "mitmproxy"


def deliveries(path: Path) -> Iterator[Imported]:
    """The requests of an archive, in order; what went over no network is left out.

    Raises `ValueError`.
    """
    number, read = 0, _read_mitmproxy if _MITMPROXY in _creator(path).lower() else _read
    for number, entry in enumerate(entries(path, PLACE), 1):
        try:
            if text(entry["request"]["url"], "url").lower().startswith(_WEB):
                yield read(entry)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RowError(f"entry {number}", error) from error
    if not number and not any(True for _ in entries(path, ("log", "version"), first=True)):
        raise ValueError("it is no HTTP archive: there is no log.version in it")


def _creator(path: Path) -> str:
    return next((str(name) for name in entries(path, ("log", "creator", "name"), first=True)), "")


def _read(entry: dict[str, Any]) -> Imported:
    request = entry["request"]
    return _imported(entry, _headers(request), _body(request.get("postData") or {}))


def _read_mitmproxy(entry: dict[str, Any]) -> Imported:
    """Of its archives, where a body's text is what it was unpacked to, byte for byte."""
    request, size = entry["request"], entry["request"].get("bodySize")
    pairs = [pair for pair in _headers(request) if pair[0].lower() != "content-encoding"]
    data = request.get("postData") or {}
    written = data.get("text") or ""
    made = (_encoded(written, name) for name in ("utf-8", "latin-1", _charset(data)) if name)
    body = next((each for each in made if each is not None and len(each) == size), None)
    return _imported(entry, pairs, _body(data) if body is None else body)


def _charset(data: dict[str, Any]) -> str | None:
    return bodies.charset(data.get("mimeType"))


def _encoded(written: str, charset: str) -> bytes | None:
    # Bytes that are no UTF-8 are lone surrogates in it, as Python reads them (PEP 383).
    try:
        return written.encode(charset, "surrogateescape")
    except UnicodeEncodeError:
        return None


def _imported(entry: dict[str, Any], pairs: list[Pair], body: bytes) -> Imported:
    request = entry["request"]
    return imported(
        received_at=instant(entry["startedDateTime"]),
        method=request["method"],
        target=target_of(request["url"]),
        headers=pairs,
        body=body,
        status=(entry.get("response") or {}).get("status"),
    )


def _headers(request: dict[str, Any]) -> list[Pair]:
    listed = request.get("headers") or []
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
