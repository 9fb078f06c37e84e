"""The requests behind the rows of `lab.unbatched`, read from the file a part at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from webhooklab.headers import Headers
from webhooklab.records import Request
from webhooklab.store import Store

Rows = np.ndarray[Any, Any]
Key = tuple[int, int]
"""A row's seq and item."""

_PART_ROWS: Final = 2_000
"""So many requests are in memory at one time."""
_NAMES: Final = ("received_at", "source", "method", "path", "query_string", "headers_json", "body")


class Originals:
    """The requests behind the rows of `index` (`seq`, `item`).

    Rows are asked for by position. One that has been deleted meanwhile has none.
    """

    def __init__(self, store: Store, index: pd.MultiIndex) -> None:
        self._store = store
        self._seq = index.get_level_values("seq").to_numpy("i8")
        self._item = index.get_level_values("item").to_numpy("i8")

    def bodies(self, rows: Rows) -> list[Any]:
        """The body of each row, of an event of a batch its own part; NA where there is none."""
        found: list[Any] = []
        for keys in self._parts(rows):
            read, parts = self._read(keys, ("body",))
            found += [parts.get(key, read.get(key[0], [pd.NA])[-1]) for key in keys]
        return found

    def requests(self, rows: Rows | None = None) -> Iterator[Request | None]:
        """The request of each row, with the body as in `bodies`; `rows=None`: of all of them."""
        for keys in self._parts(np.arange(len(self._seq)) if rows is None else rows):
            read, parts = self._read(keys, _NAMES)
            for key in keys:
                row = read.get(key[0])
                yield None if row is None else _request(row, parts.get(key, row[-1]))

    def _parts(self, rows: Rows) -> Iterator[list[Key]]:
        for start in range(0, len(rows), _PART_ROWS):
            part = rows[start : start + _PART_ROWS]
            yield list(zip(self._seq[part].tolist(), self._item[part].tolist(), strict=True))

    def _read(
        self, keys: Sequence[Key], names: Sequence[str]
    ) -> tuple[dict[int, tuple[Any, ...]], dict[Key, Any]]:
        """Columns of the deliveries by seq, and the bodies of the events of batches."""
        seqs = list({seq for seq, _ in keys})
        where, wanted = "seq IN (SELECT value FROM json_each(?))", [json.dumps(seqs)]
        read: dict[int, tuple[Any, ...]] = {}
        with self._store.reading() as connection:
            for chunk in self._store.chunks(connection, names, where=where, parameters=wanted):
                columns = (chunk[name] for name in names)
                read.update(zip(chunk["seq"], zip(*columns, strict=True), strict=True))
            return read, self._store.item_bodies(connection, seqs)


def _request(row: tuple[Any, ...], body: bytes | None) -> Request:
    received_at, source, method, path, query_string, headers_json, _ = row
    return Request(
        received_at=received_at,
        method=method,
        target=f"{path}?{query_string}" if query_string else path,
        headers=Headers.from_json(headers_json),
        body=body or b"",
        source=source,
    )
