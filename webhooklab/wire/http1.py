"""HTTP/1.1 by Tornado's parser; a header block of the common shape is read in one go.

What a request's framing, answers and connection are is Tornado's business. Of its parser only the
reading of the header block is done here first, because it costs more than all else: a block that is
plainly well-formed gives what Tornado would make of it (a test holds both together), and every
other goes to Tornado, which says what is wrong with it.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.iostream import StreamClosedError

from webhooklab.defaults import MAX_HEADER_BYTES
from webhooklab.headers import Pair, parse_header_block
from webhooklab.wire.rawstream import RawStream

logger = logging.getLogger(__name__)

_UNLIMITED: Final = 2**62
"""Tornado would answer 400 to a body over its limit; ours are 413, and the receiver's."""
_PARAMETERS: Final = HTTP1ConnectionParameters(
    max_header_size=MAX_HEADER_BYTES, max_body_size=_UNLIMITED
)

_END: Final = "\r\n\r\n"
_forbidden = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").search
"""Control characters, but for those that end lines (RFC 9110, section 5.5)."""
_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_LONGEST_KNOWN_NAME: Final = 64
"""Names are remembered, so senders do not choose how long they are."""


class Block(NamedTuple):
    """A request's header block: its first line, and its fields in order, as they were sent."""

    start_line: str
    pairs: tuple[Pair, ...]


def read_plain(data: bytes) -> Block | None:
    """A header block of the common shape (RFC 9112, section 2.1); None for any other.

    Its lines end in CRLF, and no field is folded, or without a proper name.
    """
    text = data.decode("latin-1")
    lines = text.removesuffix(_END).split("\r\n")
    if not text.endswith(_END) or _has_odd_characters(text, len(lines)):
        return None
    pairs = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or len(name) > _LONGEST_KNOWN_NAME or not _is_name(name):
            return None
        pairs.append((name, value.strip(" \t")))
    return Block(lines[0], tuple(pairs))


def _has_odd_characters(text: str, line_count: int) -> bool:
    """Whether a line ends in anything but CRLF, or has a character that none may have."""
    ends = line_count + 1
    return text.count("\n") != ends or text.count("\r") != ends or _forbidden(text) is not None


@lru_cache(maxsize=1_000)
def _is_name(name: str) -> bool:
    return _token(name) is not None


class _Fields(HTTPHeaders):
    """Tornado's; asked for what is not there, which is most of what is asked, it raises nothing."""

    def get(self, name: str, default: Any = None) -> Any:
        if name in self:
            return self[name]
        return default


def _tornados(pairs: tuple[Pair, ...]) -> HTTPHeaders:
    headers = _Fields()
    for name, value in pairs:
        if name in headers:
            headers.add(name, value)
        else:
            headers[name] = value
    return headers


class Http1(HTTP1Connection):
    """One request and its answer."""

    headers_came = False
    """Whether the whole header block has come, well-formed or not."""
    pairs: tuple[Pair, ...] = ()
    """The header fields in order, with duplicates, as they were sent."""

    def _parse_headers(self, data: bytes) -> tuple[str, HTTPHeaders]:
        self.headers_came = True
        block = read_plain(data)
        if block is None:
            parsed = super()._parse_headers(data)
            self.pairs = parse_header_block(data)
            return parsed
        self.pairs = block.pairs
        return block.start_line, _tornados(block.pairs)

    def answer_at_once(self, answer: bytes) -> None:
        """Send a whole answer to a request that is complete, and go on to the next one.

        For a connection that stays open: there is nothing to wait for.
        """
        self.stream.write(answer)
        self.finish()


async def serve(
    stream: RawStream, delegate: HTTPServerConnectionDelegate, context: object = None
) -> None:
    """Read requests until the connection ends; then the delegate's `on_close` is called.

    As `tornado.http1connection.HTTP1ServerConnection` does, with requests of our own kind. Once
    closed, there is no next request, even if it has been received: it got no answer.
    """
    server = object()
    try:
        going_on = True
        while going_on:
            http1 = Http1(stream, is_client=False, params=_PARAMETERS, context=context)
            receiver = delegate.start_request(server, http1)
            going_on = not stream.closed() and await _served(http1, receiver)
    finally:
        delegate.on_close(server)


async def _served(http1: Http1, receiver: HTTPMessageDelegate) -> bool:
    """Read a request and wait for its answer; whether the connection can take one more."""
    try:
        return await http1.read_response(receiver)
    except StreamClosedError:
        return False
    except Exception:
        logger.exception("a connection is closed, because a request could not be served")
        http1.close()
        return False
