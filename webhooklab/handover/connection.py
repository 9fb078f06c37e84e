"""A kept-alive HTTP connection to a listener of ours. Not for other servers.

Our listener announces the length of every body, sends no answer before it has read the request,
and nothing without being asked. What answers otherwise is something else, and is not talked to
again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from webhooklab.defaults import MAX_HANDED_ANSWER_BYTES, MAX_HEADER_BYTES
from webhooklab.headers import BODILESS, Headers, parse_status_block

_END: Final = b"\r\n\r\n"
_JOINED_BYTES: Final = 64 * 2**10
"""Shorter requests go into one packet, header block and body; longer ones are not copied."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An HTTP response. `last`: the connection takes no further request."""

    status: int
    headers: Headers
    body: bytes
    last: bool


class Connection(asyncio.Protocol):
    """One connection. `ask` for one answer at a time; `open` tells whether it can be asked."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        """When it was last given back to its pool (monotonic)."""
        self._received = bytearray()
        self._head: RawAnswer | None = None
        self._needed_bytes = 0
        self._answer: asyncio.Future[RawAnswer] | None = None

    @property
    def open(self) -> bool:
        """Whether the listener can be asked, as far as is known here."""
        return not self._transport.is_closing()

    async def ask(self, head: bytes, body: bytes) -> RawAnswer:
        """Send a request, and return its answer. Raises `OSError` when there is none."""
        self._answer = asyncio.get_running_loop().create_future()
        try:
            if len(body) < _JOINED_BYTES:
                self._transport.write(head + body)
            else:
                self._transport.write(head)
                self._transport.write(body)
            return await self._answer
        finally:
            self._answer = None

    def close(self) -> None:
        """Close it now, whatever it is doing."""
        self._transport.abort()

    # asyncio's

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        self._received += data
        try:
            answer = self._complete()
        except ValueError as error:
            self._fail(error)
            return
        if answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._fail(exc or EOFError())

    def _fail(self, why: Exception) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(str(why)))

    # Reading

    def _complete(self) -> RawAnswer | None:
        """The answer, once all of it is there. Raises `ValueError` for what is none of ours."""
        if self._head is None and not self._read_head():
            return None
        if len(self._received) < self._needed_bytes:
            return None
        head, self._head = self._head, None
        assert head is not None
        body, self._received = bytes(self._received[: self._needed_bytes]), bytearray()
        return RawAnswer(head.status, head.headers, body, head.last)

    def _read_head(self) -> bool:
        end = self._received.find(_END)
        if end < 0:
            if len(self._received) > MAX_HEADER_BYTES:
                raise ValueError("too long a header block")
            return False
        status, pairs = parse_status_block(bytes(self._received[:end]))
        del self._received[: end + len(_END)]
        headers = Headers(pairs)
        self._needed_bytes = _length(status, headers)
        last = "close" in (headers.get("Connection") or "").lower()
        self._head = RawAnswer(status, headers, b"", last)
        return True


def _length(status: int, headers: Headers) -> int:
    """How many bytes the body has. Raises `ValueError` when that is not announced as we do it."""
    if status in BODILESS:
        return 0
    announced = headers.get("Content-Length") or ""
    if "Transfer-Encoding" in headers or not announced.isascii() or not announced.isdecimal():
        raise ValueError("an answer without a length")
    # Its digits first: thousands of them take long to read.
    too_many = len(announced) > len(str(MAX_HANDED_ANSWER_BYTES))
    if too_many or int(announced) > MAX_HANDED_ANSWER_BYTES:
        raise ValueError("too long an answer")
    return int(announced)
