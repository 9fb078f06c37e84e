"""Content codings of answers, undone piece by piece: a few kilobytes may be gigabytes, packed.

An HTTP client that undoes them itself hands over whatever a part unpacks to, and where an answer is
packed twice that is without bound.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

ACCEPTED: Final = "gzip, deflate"
"""For `Accept-Encoding`: what is undone here, and nothing else."""
IDENTITY: Final = "identity"
"""The same for what is to come as it is."""
PIECE_BYTES: Final = 64 * 2**10
_GZIP: Final = zlib.MAX_WBITS | 16
_HEADER_BYTES: Final = 2


class CodingError(ValueError):
    """What came is not packed as it says."""


class Coding:
    """Undoes what `Content-Encoding` says. `CodingError`: it is none that was asked for."""

    def __init__(self, named: str | None) -> None:
        name = (named or IDENTITY).strip().lower()
        if name not in (IDENTITY, "gzip", "x-gzip", "deflate"):
            raise CodingError(f"the content coding {name[:40]!r} was not asked for")
        self._name = name
        self._begun = b""
        self._decoder = None if name == "deflate" else zlib.decompressobj(_GZIP)

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """What a part of the answer unpacks to, in pieces of at most `PIECE_BYTES`.

        Raises `CodingError`. Who has enough takes no more of them.
        """
        if self._name == IDENTITY:
            yield part
            return
        if self._decoder is None:
            self._begun += part
            if len(self._begun) < _HEADER_BYTES:
                return
            part = self._begun
            self._decoder = zlib.decompressobj(_kind_of(part))
        yield from _undone(self._decoder, part)


def _undone(decoder: Any, part: bytes) -> Iterator[bytes]:
    try:
        while piece := decoder.decompress(part, PIECE_BYTES):
            part = decoder.unconsumed_tail
            yield piece
    except zlib.error as error:
        raise CodingError("the content coding is broken") from error


def _kind_of(start: bytes) -> int:
    """With zlib's frame, or without: some servers leave it out (RFC 9110, section 8.4.1.2)."""
    framed = start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
    return zlib.MAX_WBITS if framed else -zlib.MAX_WBITS
