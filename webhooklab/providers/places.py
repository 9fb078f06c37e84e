r"""Where a provider says something: a header, or a dotted path in the body.

A place is `"header:x-github-event"`; a path such as `"data.object.id"` (digits index a list, a dot
inside a key is `\.`); `"=order"`, a constant; a function of `(headers, body)`; or a tuple of
these, of which the first that says something counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from webhooklab.headers import Headers

Get: TypeAlias = Callable[[Headers, Any], Any]
Place: TypeAlias = str | Get | tuple[str | Get, ...] | None

_dots = re.compile(r"(?<!\\)\.").split


def compiled(place: Place) -> Get:
    """A function that finds what stands at the place; None where nothing does."""
    if place is None:
        return _nothing
    if callable(place):
        return place
    if isinstance(place, tuple):
        return _first([compiled(each) for each in place])
    if place.startswith("header:"):
        return _header(place.removeprefix("header:"))
    if place.startswith("="):
        return _constant(place.removeprefix("="))
    return _path(place)


@cache
def path_keys(path: str) -> tuple[str, ...]:
    """The keys of a dotted path; none for the empty path, which is the body itself."""
    return tuple(key.replace("\\.", ".") for key in _dots(path)) if path else ()


def dig(data: Any, keys: tuple[str, ...]) -> Any:
    """What stands at the keys; None where nothing does."""
    for key in keys:
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            return None
    return data


def _nothing(_headers: Headers, _body: Any) -> None:
    return None


def _header(name: str) -> Get:
    return lambda headers, _body: headers.get(name)


def _constant(value: str) -> Get:
    return lambda _headers, _body: value


def _path(path: str) -> Get:
    keys = path_keys(path)
    return lambda _headers, body: dig(body, keys)


def _first(gets: list[Get]) -> Get:
    def get(headers: Headers, body: Any) -> Any:
        for each in gets:
            value = each(headers, body)
            if value is not None and value != "":
                return value
        return None

    return get
