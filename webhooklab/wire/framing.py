"""What a listener and a relay both say and understand beside the body."""

from __future__ import annotations

import http
import re
from typing import Final

from tornado.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

_is_length = re.compile(r"[0-9]{1,30}").fullmatch
_CONTINUE: Final = "100-continue"


def content_length(headers: HTTPHeaders) -> int:
    """What the sender announces; 0 for nothing, or for what Tornado is about to refuse."""
    announced = headers.get("Content-Length", "0").partition(",")[0]
    return int(announced) if _is_length(announced) else 0


def understand_expectation(start_line: RequestStartLine, headers: HTTPHeaders) -> None:
    """RFC 9110, section 10.1.1: in any spelling, but not from HTTP/1.0. Tornado compares bytes."""
    expected = headers.pop("Expect")
    if expected.lower() == _CONTINUE and start_line.version != "HTTP/1.0":
        headers["Expect"] = _CONTINUE


def status_line(status: int) -> ResponseStartLine:
    """An answer's first line; without words for a status that has none (RFC 9112, section 4)."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return ResponseStartLine("HTTP/1.1", status, phrase)
