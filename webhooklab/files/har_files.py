"""HAR 1.2: for browsers' developer tools, mitmproxy and whatever else reads HTTP archives.

http://www.softwareishard.com/blog/har-12-spec/. What HAR has no field for is in `_webhooklab`. A
body that is not plain text is base64 in `postData`, which says so by `encoding`: a field that HAR
has for answers only, so that other readers may take such a body for text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qsl, quote

import orjson
import pyarrow as pa

from webhooklab import __version__
from webhooklab.files.entries import entries
from webhooklab.files.tables import ENCODING, raw_bodies, schema, text_bodies, text_file_type
from webhooklab.headers import Headers
from webhooklab.instants import parse_instant
from webhooklab.records import EVENT_COLUMNS
from webhooklab.whole import check_ends_with_a_line

OURS: Final = "_webhooklab"

_ELSEWHERE: Final = ("headers_json", "body", ENCODING)
_OPTIONS: Final = orjson.OPT_UTC_Z
_SLICE_ROWS: Final = 1_000
_HEAD_BYTES: Final = 2**16
_is_our_head: Final = re.compile(rb'"_webhooklab"\s*:\s*\{\s*"columns"').search
_UNKNOWN_TIME: Final = "1970-01-01T00:00:00Z"
_is_host: Final = re.compile(
    r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?"
).fullmatch
_NOT_ESCAPED: Final = "!$%&'()*+,-./:;=?@[]_~"
_PYTHON_TYPES: Final = {"time": int, "count": int, "text": str}


def write(file: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """Write tables of one schema as one archive, one entry a line."""
    between = b"\n"
    file.write(b'{"log":{"version":"1.2","creator":')
    file.write(orjson.dumps({"name": "webhooklab", "version": __version__}))
    for number, table in enumerate(tables):
        if not number:
            file.write(b',"%s":%s' % (OURS.encode(), orjson.dumps({"columns": table.column_names})))
            file.write(b',"entries":[')
        for row in text_bodies(table).to_pylist():
            file.write(between + orjson.dumps(_entry(row), option=_OPTIONS))
            between = b",\n"
    file.write(b"\n]}}\n")


def read(path: Path) -> pa.Table:
    """Read what `write` wrote. Raises `ValueError` for all else, other programs' archives too."""
    names = _columns(path)
    check_ends_with_a_line(path)
    tables = [schema(names).empty_table(), *stream(path)]
    return pa.concat_tables(tables)


def stream(path: Path) -> Iterator[pa.Table]:
    """What `write` wrote, some rows at a time. Raises as `read`."""
    names = _columns(path)
    rows: list[dict[str, Any]] = []
    for number, entry in enumerate(entries(path, ("log", "entries", None)), 1):
        rows.append(_row(entry, number, names))
        if len(rows) == _SLICE_ROWS:
            yield _table(rows, names)
            rows = []
    yield _table(rows, names)


def is_ours(path: Path) -> bool:
    """Whether `write` wrote it, as its head says."""
    with path.open("rb") as file:
        return _is_our_head(file.read(_HEAD_BYTES)) is not None


def _columns(path: Path) -> list[str]:
    for found in entries(path, ("log", OURS), first=True):
        names = found.get("columns") if isinstance(found, dict) else None
        if isinstance(names, list) and "seq" in names:
            known = [name for name in EVENT_COLUMNS if name in names]
            if len(known) == len(names) - 1:
                return known
    raise ValueError("it is another program's archive, which lab.load takes")


# Writing


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    pairs = json.loads(row.get("headers_json") or "[]")
    return {
        "startedDateTime": row.get("received_at") or _UNKNOWN_TIME,
        "time": 0,
        "request": _request(row, pairs),
        "response": _response(row),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        OURS: {name: value for name, value in row.items() if name not in _ELSEWHERE},
    }


def _request(row: dict[str, Any], pairs: list[list[str]]) -> dict[str, Any]:
    query, body = row.get("query_string") or "", row.get("body")
    made = {
        "method": row.get("method") or "POST",
        "url": _url(row.get("path") or "/", query, Headers(map(tuple, pairs))),  # type: ignore[arg-type]
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in pairs],
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(query, keep_blank_values=True, errors="replace")
        ],
        "headersSize": -1,
        "bodySize": row.get("body_bytes") or 0,
    }
    return made | ({"postData": _post_data(row, body)} if body else {})


def _post_data(row: dict[str, Any], body: str) -> dict[str, str]:
    data = {"mimeType": row.get("content_type") or "", "text": body}
    return data | ({"encoding": row[ENCODING]} if row[ENCODING] else {})


def _url(path: str, query: str, headers: Headers) -> str:
    """An address as HAR wants one: ours is not known here, so the sender's word is taken."""
    host = headers.get("host") or ""
    base = f"http://{host if _is_host(host) else 'webhooklab.invalid'}"
    target = path if path.startswith("/") else f"/{path}"
    target += f"?{query}" if query else ""
    return base + quote(target, safe=_NOT_ESCAPED, encoding="latin-1", errors="replace")


def _response(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": row.get("status") or 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


# Reading


def _row(entry: Any, number: int, names: list[str]) -> dict[str, Any]:
    try:
        return _read_row(entry, names)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"entry {number} is not a delivery: {error}") from error


def _read_row(entry: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    ours, request = entry[OURS], entry["request"]
    row = {name: _cell(name, ours.get(name)) for name in ("seq", *names) if name not in _ELSEWHERE}
    if row["seq"] is None:
        raise ValueError("it has no seq")
    if "headers_json" in names:
        pairs = [(str(each["name"]), str(each["value"])) for each in request["headers"]]
        row["headers_json"] = Headers(pairs).to_json()
    if "body" in names:
        data = request.get("postData") or {}
        row["body"] = _text(data.get("text", ""))
        row[ENCODING] = data.get("encoding")
    return row


def _cell(name: str, value: Any) -> Any:
    kind = EVENT_COLUMNS.get(name, "count")
    if kind == "time" and value is not None:
        instant = parse_instant(_text(value))
        if instant is None:
            raise ValueError(f"no time in {name}")
        return instant
    if value is not None and (type(value) is not _PYTHON_TYPES[kind]):
        raise ValueError(f"{name} is {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text but {type(value).__name__}")
    return value


def _table(rows: list[dict[str, Any]], names: list[str]) -> pa.Table:
    wanted = ["seq", *names, *([ENCODING] if "body" in names else [])]
    fields = [(name, text_file_type(name)) for name in wanted]
    columns = {name: [row.get(name) for row in rows] for name in wanted}
    return raw_bodies(pa.table(columns, schema=pa.schema(fields)))
