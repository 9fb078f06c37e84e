"""Rows as the browser gets them: columns as JSON, then headers and bodies, in one binary buffer.

Credentials are masked before anything leaves the kernel. What was masked or cut is marked, so that
the browser knows where it cannot tell whether a filter matches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webhooklab.headers import Headers
from webhooklab.inbox.limits import CELL_CHARS, PUSHED_BODY_BYTES
from webhooklab.records import EVENT_COLUMNS
from webhooklab.redaction import mask_pairs, mask_query
from webhooklab.store import Chunk, Connection, Store

LIGHT: Final = tuple(name for name in EVENT_COLUMNS if name not in ("headers_json", "body"))
_CUT: Final = tuple(name for name in LIGHT if EVENT_COLUMNS[name] == "text")
QUERY_MASKED: Final = 1
TEXT_CUT: Final = 2
SENDER_LEFT: Final = 4


@dataclass(frozen=True, slots=True)
class Detail:
    """What a row has beyond its columns. `headers` is JSON, masked; `masked` says if it was."""

    seq: int
    headers: str
    masked: bool
    body: bytes


def light_rows(
    store: Store,
    connection: Connection,
    after: int,
    where: str = "1",
    parameters: Sequence[object] = (),
) -> Chunk:
    """The rows with `seq > after` that match, without headers and bodies; with `amended`."""
    columns = (*LIGHT, "amended")
    rows: Chunk = {name: [] for name in ("seq", *columns)}
    for chunk in store.chunks(connection, columns, after=after, where=where, parameters=parameters):
        for name in rows:
            rows[name] += chunk[name]
    return rows


def for_browser(rows: Chunk) -> Chunk:
    """The rows with credentials masked and long texts cut; `marks` says where, and who left."""
    shown = dict(rows)
    amended = shown.pop("amended")
    queries = [mask_query(query) for query in rows["query_string"]]
    marks = [
        QUERY_MASKED * (masked != query) | SENDER_LEFT * (number is not None and status is None)
        for masked, query, number, status in zip(
            queries, rows["query_string"], amended, rows["status"], strict=True
        )
    ]
    shown["query_string"] = queries
    for name in _CUT:
        if any(_is_long(text) for text in shown[name]):
            marks = [
                mark | TEXT_CUT * _is_long(text)
                for mark, text in zip(marks, shown[name], strict=True)
            ]
            shown[name] = [text[:CELL_CHARS] if text else text for text in shown[name]]
    return shown | {"marks": marks}


def _is_long(text: str | None) -> bool:
    return text is not None and len(text) > CELL_CHARS


def affordable(rows: Chunk, budget: int) -> list[int]:
    """The seqs whose bodies may be pushed for so many bytes: from the newest on, small ones."""
    chosen = []
    for seq, size in zip(reversed(rows["seq"]), reversed(rows["body_bytes"]), strict=True):
        if size <= PUSHED_BODY_BYTES and size <= budget:
            chosen.append(seq)
            budget -= size
    return chosen


def details(store: Store, connection: Connection, seqs: Sequence[int]) -> list[Detail]:
    """Headers and bodies of some rows; those that are gone are left out."""
    found: list[Detail] = []
    where = "seq IN (SELECT value FROM json_each(?))"
    for chunk in store.chunks(
        connection, ("headers_json", "body"), where=where, parameters=[json.dumps(list(seqs))]
    ):
        found += map(_detail, chunk["seq"], chunk["headers_json"], chunk["body"])
    return found


def _detail(seq: int, headers_json: str, body: bytes) -> Detail:
    pairs = Headers.from_json(headers_json).pairs
    masked = tuple(mask_pairs(pairs))
    if masked == pairs:
        return Detail(seq, headers_json, False, body)
    return Detail(seq, Headers(masked).to_json(), True, body)


def pack(rows: Chunk | None, found: Iterable[Detail]) -> tuple[dict[str, Any], bytes]:
    """Where things stand in the buffer, and the buffer."""
    text = json.dumps(rows, separators=(",", ":")).encode() if rows is not None else b""
    parts, index = [text], []
    for detail in found:
        headers = detail.headers.encode("utf-8", "surrogatepass")
        parts += [headers, detail.body]
        index.append([detail.seq, int(detail.masked), len(headers), len(detail.body)])
    return {"columns": len(text), "details": index}, b"".join(parts)
