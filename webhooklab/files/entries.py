"""Long JSON files, one element at a time. The door to ijson."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import ijson

from webhooklab.defaults import MAX_IMPORTED_DEPTH, MAX_IMPORTED_ROW_BYTES

Place: TypeAlias = tuple[str | None, ...]
"""Where in a document: keys, and None for each element of an array."""
Parse: TypeAlias = Callable[..., Iterator[tuple[str, Any]]]

_READ_BYTES: Final = 2**16
_STARTS: Final = ("start_map", "start_array")
_ENDS: Final = ("end_map", "end_array")


def entries(path: Path, place: Place, *, first: bool = False) -> Iterator[Any]:
    """The values at a place, `("log", "entries", None)` for instance; `first`: no more than one.

    Memory holds one of them. Raises `ValueError` for what is not JSON (UTF-8), or is cut short, for
    a value of more than `MAX_IMPORTED_ROW_BYTES`, and beyond `MAX_IMPORTED_DEPTH`.
    """
    try:
        for value in _read(path, place):
            yield value
            if first:
                return
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON: {str(error).splitlines()[0]}") from error


def _read(path: Path, place: Place) -> Iterator[Any]:
    """Lone surrogates, as mitmproxy writes bytes that are no text, the fast parser cannot read."""
    count = 0
    try:
        for value in _values(path, place, ijson.basic_parse):
            yield value
            count += 1
    except UnicodeDecodeError:
        slow = ijson.get_backend("python").basic_parse
        yield from islice(_values(path, place, slow), count, None)


def _values(path: Path, place: Place, parse: Parse) -> Iterator[Any]:
    with path.open("rb") as file:
        if file.read(len(BOM_UTF8)) != BOM_UTF8:  # RFC 8259 lets it be ignored
            file.seek(0)
        yield from _found(_Metered(file), list(place), parse)


def _found(file: _Metered, place: list[str | None], parse: Parse) -> Iterator[Any]:
    # Not ijson's own `items`, which takes quadratic time where JSON is nested deeply.
    where: list[str | None] = []
    builder = None
    for event, value in parse(file, buf_size=_READ_BYTES):
        if event in _ENDS:
            where.pop()
        elif event == "map_key":
            where[-1] = value
        elif builder is None and where == place:
            builder = ijson.ObjectBuilder()
        if builder is not None:
            builder.event(event, value)
        if event in _STARTS:
            where.append(None)
            if len(where) > MAX_IMPORTED_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_IMPORTED_DEPTH}")
        elif builder is not None and event != "map_key" and len(where) == len(place):
            yield builder.value
            builder = None
        if builder is None and len(where) <= len(place):
            file.rest()


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
