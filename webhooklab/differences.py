"""JSON Patches (RFC 6902) from what a payload says to what the API says. The door to jsonpatch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import jsonpatch

from webhooklab import states
from webhooklab.defaults import MAX_DIFFERENCE_BYTES

Place: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value; () is all of it."""

_MAX_PLACES: Final = 10_000


def difference(pushed: Any, fetched: Any, size_bytes: int) -> str | None:
    """The JSON Patch (RFC 6902) from payload to truth, as JSON text.

    None where the payload has no such object, and as `patch_text`.
    """
    return patch_text(pushed, fetched, size_bytes) if isinstance(pushed, dict) else None


def patch_text(before: Any, after: Any, size_bytes: int) -> str | None:
    """The JSON Patch from one value to another, as JSON text.

    None where both together (`size_bytes`) are too large, or they are too deep.
    """
    if size_bytes > MAX_DIFFERENCE_BYTES:
        return None
    try:
        return states.dump(patch(before, after))
    except (RecursionError, TypeError, ValueError):  # too deep; a number that only Decimal holds
        return None


def patch(before: Any, after: Any) -> list[dict[str, Any]]:
    """The JSON Patch (RFC 6902) from one value to another.

    Raises `RecursionError` for what is nested too deep, `TypeError` for what only Decimal holds.
    """
    made: list[dict[str, Any]] = jsonpatch.make_patch(before, after).patch
    return made


def place_of(payload: Any, patch: str, fetched: Any) -> Place | None:
    """Where the object is in a payload that the patch (JSON) makes into what was fetched.

    The outermost such object; None where there is none.
    """
    if not isinstance(fetched, dict):
        return None
    read = jsonpatch.JsonPatch.from_string(patch)
    touched = {part for each in read.patch for part in _first_keys(each)}
    kept = fetched.keys() - touched
    for place, value in _objects(payload):
        if value.keys() - touched == kept and _becomes(value, read, fetched):
            return place
    return None


def _first_keys(operation: Any) -> Iterator[str]:
    for name in ("path", "from"):
        if pointer := operation.get(name):
            yield str(pointer).split("/")[1].replace("~1", "/").replace("~0", "~")


def _objects(payload: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """All objects in a payload, the outer ones first; not more than so many."""
    waiting: deque[tuple[Place, Any]] = deque([((), payload)])
    seen = 0
    while waiting and seen < _MAX_PLACES:
        seen += 1
        place, value = waiting.popleft()
        if isinstance(value, dict):
            yield place, value
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        waiting += [((*place, k), each) for k, each in inside if isinstance(each, dict | list)]


def _becomes(value: dict[str, Any], patch: jsonpatch.JsonPatch, fetched: dict[str, Any]) -> bool:
    try:
        made: Any = patch.apply(value)
    except Exception:  # the library's own kinds, and whatever an odd payload makes it raise
        return False
    return bool(made == fetched)
