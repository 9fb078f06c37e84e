"""Long JSON files, one element at a time. The door to ijson."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import ijson

from webhooklab.defaults import MAX_IMPORTED_ROW_BYTES

_READ_BYTES: Final = 2**16


def entries(path: Path, prefix: str, *, first: bool = False) -> Iterator[Any]:
    """The values at a place, `log.entries.item` for instance; `first`: read no further than one.

    Memory holds one of them. Raises `ValueError` for what is not JSON (UTF-8), or is cut short, and
    for a value of more than `MAX_IMPORTED_ROW_BYTES`.
    """
    with path.open("rb") as file:
        metered = _Metered(file)
        try:
            for value in ijson.items(metered, prefix, buf_size=_READ_BYTES):
                metered.rest()
                yield value
                if first:
                    return
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise ValueError(f"it is not JSON: {str(error).splitlines()[0]}") from error


class _Metered:
    """A file that is not read on where one value would fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._since = 0

    def rest(self) -> None:
        """A value has come: the next one may be as large again."""
        self._since = 0

    def read(self, size: int = -1) -> bytes:
        self._since += size
        if self._since > MAX_IMPORTED_ROW_BYTES:
            raise ValueError(f"one value has more than {MAX_IMPORTED_ROW_BYTES} bytes")
        return self._file.read(size)
