"""HTTP/1.1 by Tornado's parser; a header block of the common shape is read in one go.

What a request's framing, answers and connection are is Tornado's business. Of its parser only the
reading of the header block is done here first, because it costs more than all else: a block that is
plainly well-formed gives what Tornado would make of it (a test holds both together), and every
other goes to Tornado, which says what is wrong with it.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.iostream import StreamClosedError

from webhooklab.defaults import MAX_HEADER_BYTES
from webhooklab.headers import Pair, parse_header_block
from webhooklab.wire.blocks import read_plain
from webhooklab.wire.rawstream import RawStream

logger = logging.getLogger(__name__)

_UNLIMITED: Final = 2**62
"""Tornado would answer 400 to a body over its limit; ours are 413, and the receiver's."""
_PARAMETERS: Final = HTTP1ConnectionParameters(
    max_header_size=MAX_HEADER_BYTES, max_body_size=_UNLIMITED
)


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
            going_on = (
                not stream.closed() and await _served(http1, receiver) and not stream.closed()
            )
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
