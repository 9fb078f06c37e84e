"""Answers as they go on the wire."""

from __future__ import annotations

from typing import Final

from webhooklab.answering import OK
from webhooklab.headers import BODILESS, Pair
from webhooklab.records import Answer
from webhooklab.wire.framing import status_line

FINE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def fields(answer: Answer) -> list[Pair]:
    """An answer's header fields, in order, with those that it needs and does not have.

    What has no body has no Content-Length either (RFC 9110, section 8.6; a 304's would be of the
    200).
    """
    pairs = list(answer.headers)
    if answer.status not in BODILESS:
        pairs.insert(0, ("Content-Length", str(len(answer.body))))
    if answer.body and not any(name.lower() == "content-type" for name, _ in pairs):
        pairs.append(("Content-Type", "text/plain; charset=utf-8"))
    return pairs


def whole(answer: Answer) -> bytes:
    """An answer, on a connection that stays open, to a request that is not HEAD.

    Raises `ValueError` for a field that would end its line.
    """
    if answer is OK:
        return FINE
    line = status_line(answer.status)
    lines = [f"{line.version} {line.code} {line.reason}"]
    lines += [f"{name}: {value}" for name, value in fields(answer)]
    if any("\n" in each or "\r" in each for each in lines):
        raise ValueError("a header field of an answer has a line break")
    body = b"" if answer.status in BODILESS else answer.body
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body
