"""What another's relay hands on, as the request that it received, as far as it tells.

Such relays speak JSON: what they do not keep is lost, and what they write anew is marked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhooklab.defaults import MAX_HEADER_BYTES, MAX_HEADER_COUNT
from webhooklab.headers import NAME_CHARACTER, Pair
from webhooklab.sources import REWRITTEN_HEADER

_NAME: Final = re.compile(f"{NAME_CHARACTER}+")
_METHOD: Final = re.compile(NAME_CHARACTER + "{1,32}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNSAFE: Final = re.compile(r"[^\x21-\x7e]")
_LAST_US: Final = 253_402_300_799_000_000
"""The end of the year 9999, which is as far as a `datetime` goes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as a relay tells of it. `received_at` in us since the epoch; None: not told.

    `answered`: the status that its sender has got from the relay; None: that is not known by this.
    """

    method: str
    target: str
    headers: tuple[Pair, ...]
    body: bytes
    received_at: int | None
    remote: str | None = None
    answered: int | None = None


class FrameError(ValueError):
    """A relay said what cannot be understood. No part of what it said is in the text."""


def value_of(text: str) -> Any:
    """The JSON of a frame, whatever it is. Raises `FrameError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise FrameError("a frame is not JSON") from None


def parsed(text: str) -> dict[str, Any]:
    """The JSON object of a frame. Raises `FrameError`."""
    found = value_of(text)
    if not isinstance(found, dict):
        raise FrameError("a frame is no JSON object")
    return found


def pairs(fields: Mapping[str, Any], *, rewritten: bool) -> tuple[Pair, ...]:
    """Headers, of names and values as JSON has them; what is none is left out.

    `rewritten`: the body is not the sender's, byte for byte, and a header of ours says so. Raises
    `FrameError` for more than any listener takes.
    """
    found = [
        (name, _value(value))
        for name, values in fields.items()
        if _NAME.fullmatch(name) and name.lower() != REWRITTEN_HEADER.lower()
        for value in _each(values)
    ]
    if len(found) > MAX_HEADER_COUNT or sum(map(_length, found)) > MAX_HEADER_BYTES:
        raise FrameError("a delivery has too many headers, or too long ones")
    if rewritten:
        found.append((REWRITTEN_HEADER, "body"))
    return tuple(found)


def _each(values: Any) -> Iterable[Any]:
    several = values if isinstance(values, list) else [values]
    return [each for each in several if isinstance(each, str | int | float)]


def _value(value: str | float) -> str:
    """As on the wire: one character per byte. What has no place in a header becomes a space."""
    text = value if isinstance(value, str) else json.dumps(value)
    if max(text, default="") > "\xff":
        text = text.encode("utf-8", "replace").decode("latin-1")
    return _CONTROL.sub(" ", text)


def _length(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def method(value: Any) -> str:
    """A method; POST where a relay tells of none."""
    return value if isinstance(value, str) and _METHOD.fullmatch(value) else "POST"


def target(path: str, query: str) -> str:
    """A request target, of what may have been decoded on the way: visible characters only."""
    whole = f"{path}?{query}" if query else path
    return _UNSAFE.sub(lambda found: _escaped(found[0]), whole)


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def moment(value: Any, unit_us: int) -> int | None:
    """A time since the epoch, as number or text, in us; None for what is none."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value * unit_us if 0 < value * unit_us < _LAST_US else None
