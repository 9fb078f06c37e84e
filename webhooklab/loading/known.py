"""Which deliveries of a file the capture file has already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np

from webhooklab.records import Request
from webhooklab.store import Store

_COLUMNS: Final = ("received_at", "method", "path", "body")


class Known:
    """Deliveries as fingerprints of 8 bytes, with how many of each are still to be met.

    What came in one microsecond, by one method, to one path and with one body is one delivery:
    headers and query do not count, since credentials in them are masked in a file.
    """

    def __init__(self, store: Store, first: int, last: int) -> None:
        """Those that were received from `first` to `last`, in us."""
        where = "received_at BETWEEN ? AND ?"
        prints: list[np.ndarray] = [np.empty(0, np.uint64)]
        with store.reading() as connection:
            for chunk in store.chunks(connection, _COLUMNS, where=where, parameters=(first, last)):
                columns = (chunk[name] for name in _COLUMNS)
                prints.append(_array(map(_fingerprint, *columns)))
        self._prints, self._left = np.unique(np.concatenate(prints), return_counts=True)

    def takes(self, request: Request) -> bool:
        """Whether it is there; each one that is there is met once."""
        if not len(self._prints):
            return False
        wanted = np.uint64(
            _fingerprint(request.received_at, request.method, request.path, request.body)
        )
        place = int(self._prints.searchsorted(wanted))
        if place == len(self._prints) or self._prints[place] != wanted or not self._left[place]:
            return False
        self._left[place] -= 1
        return True


def _array(prints: Iterable[int]) -> np.ndarray:
    return np.fromiter(prints, np.uint64)


def _fingerprint(received_at: int, method: str, path: str, body: bytes) -> int:
    head = f"{received_at} {method} {path}\n".encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(head + body, digest_size=8).digest(), "big")
