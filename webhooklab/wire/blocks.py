"""Header blocks of the common shape, read in one go. All others are Tornado's to read or refuse."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from webhooklab.headers import NAME_CHARACTER, Headers, Pair

_END: Final = "\r\n\r\n"
_forbidden = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search
"""Control characters, but for those that end lines (RFC 9110, section 5.5)."""
_name = re.compile(f"{NAME_CHARACTER}+").fullmatch
_request_line = re.compile(rf"({NAME_CHARACTER}+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.1").fullmatch
_is_length = re.compile(r"[0-9]{1,9}").fullmatch
_LONGEST_KNOWN_NAME: Final = 64
"""Names are remembered, so senders do not choose how long they are."""
_UNCOMMON: Final = frozenset({"connection", "expect", "transfer-encoding"})
"""They ask for more than a body of a known length and an answer on the same connection."""


class Block(NamedTuple):
    """A request's header block: its first line, and its fields in order, as they were sent."""

    start_line: str
    pairs: tuple[Pair, ...]


class Head(NamedTuple):
    """What a request says before its body, of `length` bytes."""

    method: str
    target: str
    headers: Headers
    length: int


def read_plain(data: bytes) -> Block | None:
    """A header block of the common shape (RFC 9112, section 2.1); None for any other.

    Its lines end in CRLF, the first one is not empty, and no field is folded or without a proper
    name.
    """
    text = data.decode("latin-1")
    lines = text.removesuffix(_END).split("\r\n")
    if not lines[0] or not text.endswith(_END) or _has_odd_characters(text, len(lines)):
        return None
    pairs = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or len(name) > _LONGEST_KNOWN_NAME or not _is_name(name):
            return None
        pairs.append((name, value.strip(" \t")))
    return Block(lines[0], tuple(pairs))


def read_head(data: bytes) -> Head | None:
    """A request of the common kind, by its header block; None for any other.

    It is HTTP/1.1, names no field twice, frames its body by Content-Length alone, if it has one,
    and asks for nothing else of the connection.
    """
    block = read_plain(data)
    if block is None:
        return None
    line = _request_line(block.start_line)
    headers = Headers(block.pairs)
    length = headers.get("content-length", "0") or ""
    if line is None or line[1] == "HEAD" or not _is_length(length):
        return None
    is_once_each = len(headers.names) == len(block.pairs)
    if not is_once_each or not _UNCOMMON.isdisjoint(headers.names):
        return None
    return Head(line[1], line[2], headers, int(length))


def _has_odd_characters(text: str, line_count: int) -> bool:
    """Whether a line ends in anything but CRLF, or has a character that none may have."""
    ends = line_count + 1
    return text.count("\n") != ends or text.count("\r") != ends or _forbidden(text) is not None


@lru_cache(maxsize=1_000)
def _is_name(name: str) -> bool:
    return _name(name) is not None
