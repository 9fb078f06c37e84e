"""An entity's state in a payload and in a poll's answer, held against each other (rules 12, 15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from webhooklab import bodies
from webhooklab.comparison.reading import epoch, exact_instant
from webhooklab.defaults import MAX_PAYLOAD_DEPTH

State = Mapping[str, Any]
_ABSENT: Final = object()
_SHORTEST_INSTANT: Final = len("2026-01-01T00:00:00Z")
_LONGEST_INSTANT: Final = 48


def state_in(body: object, content_type: object, entity_id: str) -> State | None:
    """The entity's state in a body: the JSON object with the entity's id, else None.

    Looked for in `data.object`, in `data`, at the top, and in the values at the top (a GitHub
    `issue`). An object at the top that has neither an `id` nor `data` is the state itself.
    """
    try:
        parsed = bodies.parse(bytes(body), str(content_type or ""))  # type: ignore[call-overload]
    except (ValueError, TypeError):
        return None
    if not isinstance(parsed, dict):
        return None
    for candidate in _candidates(parsed):
        if isinstance(candidate, dict) and _is_id(candidate.get("id", _ABSENT), entity_id):
            return candidate
    return None if {"id", "data"} & parsed.keys() else parsed


def _candidates(parsed: dict[str, Any]) -> Iterator[Any]:
    data = parsed.get("data")
    if isinstance(data, dict):
        yield data.get("object")
        yield data
    yield parsed
    yield from parsed.values()


def _is_id(value: object, entity_id: str) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value) == entity_id


def leaves(state: State) -> dict[str, Any]:
    r"""Dotted paths to values; arrays whole; a dot inside a key is `\.`."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any, int]] = [("", state, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, dict) and depth < MAX_PAYLOAD_DEPTH and (value or not path):
            prefix = f"{path}." if path else ""
            waiting += [(prefix + _escape(key), cell, depth + 1) for key, cell in value.items()]
        else:
            found[path] = value
    return found


def _escape(key: object) -> str:
    text = str(key)
    if "." not in text and "\\" not in text:  # nearly always
        return text
    return text.replace("\\", "\\\\").replace(".", "\\.")


def canonical(value: Any) -> Any:
    """A hashable that equal values share: numbers by value, instants as instants, keys unordered.

    "10.00" is not 10, true is not 1, null is a value.
    """
    if isinstance(value, dict):
        return "object", frozenset((key, canonical(cell)) for key, cell in value.items())
    if isinstance(value, list | tuple):
        return "array", tuple(canonical(cell) for cell in value)
    if isinstance(value, bool) or value is None:
        return "literal", value
    if isinstance(value, int | float | Decimal):
        return "number", value
    instant = _instant(value)
    return ("instant", instant[0]) if instant else ("text", str(value))


def _instant(value: object) -> tuple[int, int] | None:
    if not isinstance(value, str) or not _SHORTEST_INSTANT <= len(value) <= _LONGEST_INSTANT:
        return None
    if value[4] != "-" or value[10] not in "Tt " or value[-1] not in "Zz0123456789":
        return None
    if value[-1] not in "Zz" and (value[-3] != ":" or value[-6] not in "+-"):
        return None
    return exact_instant(value)


def differing(pushed: State, pulled: State) -> list[str]:
    """The dotted paths that both states have and whose values differ, sorted (rule 15)."""
    found: list[str] = []
    waiting: list[tuple[str, Any, Any, int]] = [("", pushed, pulled, 0)]
    while waiting:
        path, one, other, depth = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict) and depth < MAX_PAYLOAD_DEPTH:
            prefix = f"{path}." if path else ""
            shared = one.keys() & other.keys()
            waiting += [(prefix + _escape(k), one[k], other[k], depth + 1) for k in shared]
        elif not equal(one, other):
            found.append(path)
    return sorted(found)


def equal(one: Any, other: Any) -> bool:
    """Whether two values say the same; instants at the coarser one's precision."""
    if one is other or canonical(one) == canonical(other):
        return True
    instants = _as_instant(one), _as_instant(other)
    if instants[0] is None or instants[1] is None or not (_instant(one) or _instant(other)):
        return False
    unit = 10 ** (18 - min(18, instants[0][1], instants[1][1]))
    return bool(instants[0][0] // unit == instants[1][0] // unit)


def _as_instant(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch(str(value))
    return _instant(value)


_NAMING: Final = frozenset(
    ["id", "object", "type", "kind", "url", "uri", "href", "self", "link", "links", "_links"]
)


def tells(pushed: State, pulled: State) -> bool:
    """Whether a payload says more than which entity it is about (a thin one does not: rule 11)."""
    return bool((pushed.keys() & pulled.keys()) - _NAMING)


def comparable(pushed: State, pulled: State) -> bool:
    """Whether both have something besides the id to compare."""
    return bool((pushed.keys() & pulled.keys()) - {"id"})
