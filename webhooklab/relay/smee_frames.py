"""What smee and gosmee say of a delivery. No I/O.

https://github.com/probot/smee.io, https://github.com/chmouel/gosmee:

    smee     {<header>: value, "body": <the JSON, parsed>, "query": {...}, "timestamp": <ms>}
    gosmee   {<header>: first value, "timestamp": "<ms>", "bodyB": "<base64 of the raw body>"}

Others pass on `rawbody`, the body as text. Headers named like these fields are lost by either. smee
answers its senders 200, gosmee 202.
"""

from __future__ import annotations

import base64
import json
import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from webhooklab.relay.received import FrameError, Received, moment, pairs, parsed, target

GAP: Final = "gosmee-gap"
"""The event by which gosmee says that it no longer has what was missed."""
QUIET: Final = frozenset(("ready", "ping", "connected"))
"""Events that carry nothing."""
_BODIES: Final = ("body", "rawbody", "bodyB")
_FIELDS: Final = (*_BODIES, "query", "timestamp")
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[ \t\r\n]+')
_MILLISECOND_US: Final = 1_000


def delivery(data: str) -> Received | None:
    """The delivery in an event's data; None for what only says that the relay is there.

    Raises `FrameError` for anything else.
    """
    fields = parsed(data)
    if _is_greeting(fields):
        return None
    body, rewritten = _body(fields, data)
    headers = {name: value for name, value in fields.items() if name not in _FIELDS}
    return Received(
        method="POST",
        target=target("/", _query(fields.get("query"))),
        headers=pairs(headers, rewritten=rewritten),
        body=body,
        received_at=moment(fields.get("timestamp"), _MILLISECOND_US),
        answered=int(HTTPStatus.ACCEPTED if "bodyB" in fields else HTTPStatus.OK),
    )


def _is_greeting(fields: dict[str, Any]) -> bool:
    return not any(name in fields for name in _BODIES) and set(fields) <= {"message", "timestamp"}


def _body(fields: dict[str, Any], data: str) -> tuple[bytes, bool]:
    """The body, and whether the relay wrote it anew."""
    if isinstance(raw := fields.get("bodyB"), str):
        try:
            return base64.b64decode(raw, validate=True), False
        except ValueError:
            raise FrameError("a body is not base64") from None
    if isinstance(text := fields.get("rawbody"), str):
        # U+FFFD: what was no text has been replaced on the way.
        return text.encode("utf-8", "surrogatepass"), "\ufffd" in text
    if "body" in fields:
        return compact(_value_text(data, "body")), True
    return b"", False


def compact(text: str) -> bytes:
    """JSON as JavaScript's `JSON.stringify` writes it, numbers as they stand.

    A signature over a body that was sent so still holds.
    """
    return _TOKENS.sub(_compact_token, text).encode("utf-8", "backslashreplace")


def _compact_token(token: re.Match[str]) -> str:
    text = token[0]
    return json.dumps(json.loads(text), ensure_ascii=False) if text.startswith('"') else ""


def _value_text(data: str, name: str) -> str:
    """The text of a member's value, in the text of an object that has it; the last one's."""
    decoder = json.JSONDecoder()
    found = ""
    at = _after_space(data, data.index("{") + 1)
    while data[at] != "}":
        key, at = decoder.raw_decode(data, at)
        start = _after_space(data, _after_space(data, at) + 1)
        _, end = decoder.raw_decode(data, start)
        if key == name:
            found = data[start:end]
        at = _after_space(data, end)
        if data[at] == ",":
            at = _after_space(data, at + 1)
    return found


def _after_space(data: str, at: int) -> int:
    space = _SPACE.match(data, at)
    assert space is not None  # it matches nothing, too
    return space.end()


def _query(fields: Any) -> str:
    if not isinstance(fields, dict):
        return ""
    named = [(name, each) for name, value in fields.items() for each in _values(value)]
    return urlencode(named, errors="replace")


def _values(value: Any) -> list[str]:
    several = value if isinstance(value, list) else [value]
    return [each if isinstance(each, str) else json.dumps(each) for each in several]
