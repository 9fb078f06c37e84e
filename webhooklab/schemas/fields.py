"""The fields of a JSON body, by path: `data.object.id`, `commits[].id`; `$` is the body itself."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from webhooklab.defaults import MAX_COLUMNS_PER_PAYLOAD, MAX_PAYLOAD_DEPTH

WHOLE: Final = "$"

Fields: TypeAlias = dict[str, set[str]]
"""Path to the types of its values, in the words of JSON Schema. A parent stands before its own."""

_TYPES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
_MAX_ELEMENTS: Final = 100_000


def fields_of(value: Any) -> Fields | None:
    """The fields of a body; None where there are too many, or they are nested too deep."""
    found: Fields = {}
    waiting: list[tuple[str, Any, int]] = [(WHOLE, value, 0)]
    for path, each, depth in waiting:
        found.setdefault(path, set()).add(_type(each))
        if depth > MAX_PAYLOAD_DEPTH or len(found) > MAX_COLUMNS_PER_PAYLOAD:
            return None
        if isinstance(each, dict):
            waiting += [(_below(path, key), cell, depth + 1) for key, cell in each.items()]
        elif isinstance(each, list):
            waiting += [(f"{path}[]", cell, depth + 1) for cell in each]
        if len(waiting) > _MAX_ELEMENTS:
            return None
    return found


def parent_of(path: str) -> str:
    r"""What a field is in; a dot inside a key is `\.`. `$` is in nothing."""
    if path.endswith("[]"):
        return path[:-2]
    place = path.rfind(".")
    while place > 0 and (place - len(path[:place].rstrip("\\"))) % 2:
        place = path.rfind(".", 0, place)
    return WHOLE if place < 0 else path[:place]


def _below(path: str, key: str) -> str:
    # JSON spells lone surrogates, and no text column takes them.
    named = key if key.isascii() else key.encode("utf-8", "replace").decode()
    named = named.replace("\\", "\\\\").replace(".", "\\.").replace("[]", "[\\]")
    named = f"\\{named}" if named == WHOLE else named
    return named if path == WHOLE else f"{path}.{named}"


def _type(value: Any) -> str:
    return "null" if value is None else _TYPES.get(type(value), "number")
