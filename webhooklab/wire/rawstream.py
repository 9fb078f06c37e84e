"""A socket's stream that shows Tornado's HTTP parser what it takes, and counts what comes.

The only module that relies on how Tornado reads. `tests/test_tornado_drift.py` fails when that
changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from tornado.iostream import IOStream

from webhooklab.defaults import MAX_CHUNK_LINE_BYTES, MAX_HEADER_BYTES

READ_AHEAD_BYTES: Final = 64 * 2**10
"""So much of a connection may wait in memory before somebody asks for it."""
_TORNADOS_400: Final = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_END: Final = b"\r\n"


class RawStream(IOStream):
    """A server's connection. `received` is what has been read from the socket already.

    Tornado asks with `read_until` for the line that begins a chunk of a body, and for nothing else.
    """

    received_since_request = 0
    """How many bytes came of the request that is being read, and of what follows it."""
    ended = False
    """Whether the client has closed its side while nothing was read: it sends no more, and most
    have left."""
    refused = False
    """Whether a request has been refused: it has had its last word."""
    found_malformed = False
    """Whether Tornado answered 400."""

    _last_chunk_read = False
    _without_delay = False

    def __init__(self, *args: Any, received: bytes = b"", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._received = received

    def expect_request(self) -> None:
        """What comes next belongs to a new request; so does what has come ahead of its turn."""
        self.received_since_request = self._read_buffer_size

    # Chunks. Tornado refuses what RFC 9112 tells a server to ignore: extensions (section 7.1.1)
    # and trailers (7.1.2). So it is not shown them.

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """As `IOStream.read_until`, which see; a chunk's line without its extensions."""
        future = super().read_until(delimiter, MAX_CHUNK_LINE_BYTES)
        assert isinstance(future, asyncio.Future)
        if future.done() and not future.exception() and _is_plain(future.result()):
            return future
        return asyncio.ensure_future(self._chunk_line(future))

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Awaitable[bytes]:  # noqa: FBT001, FBT002 - Tornado's
        """As `IOStream.read_bytes`, which see; the end of the trailers is not on the wire again."""
        if not self._last_chunk_read:
            return super().read_bytes(num_bytes, partial)
        self._last_chunk_read = False
        end: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        end.set_result(_END)
        return end

    async def _chunk_line(self, read: asyncio.Future[bytes]) -> bytes:
        line = _without_extensions(await read)
        if line.strip(b"0") == _END and line != _END:
            await self._skip_trailers()
            self._last_chunk_read = True
        return line

    async def _skip_trailers(self) -> None:
        left = MAX_HEADER_BYTES
        line = b""
        while line != _END:
            line = await super().read_until(_END, left)
            left -= len(line)

    # The rest

    def reading(self) -> bool:
        """As `IOStream.reading`, which see; between two reads, too.

        To stop listening to the socket and begin again, for each request, costs more than it saves.
        """
        return super().reading() or self._read_buffer_size < READ_AHEAD_BYTES

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001 - Tornado's
        """As `IOStream.set_nodelay`, which see; once for all: each answer is written in one go."""
        if value and not self._without_delay:
            self._without_delay = True
            super().set_nodelay(value)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """As `IOStream.read_from_fd`, which see; what came is counted.

        A client may say that it sends no more (a half-close) and wait for its answer. Tornado
        would close at once; here the end counts only when more is asked for.
        """
        if not self.reading():
            return None
        count = self._read_again(buf) if self._received else super().read_from_fd(buf)
        if count:
            self.received_since_request += count
        elif count == 0 and not super().reading():
            self.ended = True
            # Or the loop would be told of it again and again.
            asyncio.get_running_loop().remove_reader(self.fileno())
            return None
        return count

    def _read_again(self, buf: bytearray | memoryview) -> int:
        count = min(len(buf), len(self._received))
        buf[:count], self._received = self._received[:count], self._received[count:]
        return count

    def write(self, data: bytes | memoryview) -> asyncio.Future[None]:
        """As `IOStream.write`, which see; after a refusal, no `100 Continue` and no 400."""
        self.found_malformed = data == _TORNADOS_400
        return super().write(b"" if self.refused else data)


def _is_plain(line: bytes) -> bool:
    return b";" not in line and line[:1] != b"0"


def _without_extensions(line: bytes) -> bytes:
    size, semicolon, extensions = line.partition(b";")
    if semicolon and b"\n" not in extensions[:-1]:
        return size.rstrip(b" \t") + _END
    return line  # Tornado refuses a bare line feed, which others might take for the line's end
