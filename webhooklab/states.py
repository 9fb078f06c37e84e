"""States of entities as JSON: kept, fingerprinted, and held against each other. No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

import orjson

from webhooklab.defaults import MAX_PAYLOAD_DEPTH

_WHOLE: Final = "$"
_FINGERPRINT_BYTES: Final = 16


def dump(state: Any) -> str:
    """A state as JSON text in ASCII, keys in the order they came.

    Raises `ValueError` for what JSON cannot say, and `RecursionError` for what is nested too deep.
    """
    return json.dumps(state, allow_nan=False, separators=(",", ":"), default=str)


def fingerprint(state: Any) -> bytes:
    """What two equal states have in common, whatever the order of their keys. Raises as `dump`."""
    # Not RFC 8785: nobody else reads it, and one provider writes one number in one way.
    try:
        text = orjson.dumps(state, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # beyond 64 bits, a lone surrogate, or nested deeper than orjson goes
        text = json.dumps(state, allow_nan=False, sort_keys=True, default=str).encode()
    return hashlib.blake2b(text, digest_size=_FINGERPRINT_BYTES).digest()


def changed_fields(before: Any, after: Any) -> list[str]:
    r"""The dotted paths whose values differ, those that came or went among them, sorted.

    A dot inside a key is `\.`; arrays count as a whole; `$` is a state that is no object.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


def contradicts(before: Any, after: Any) -> bool | None:
    """Whether a path that both have has two values; None: they have no path in common."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    common = old.keys() & new.keys()
    return any(old[path] != new[path] for path in common) if common else None


def _leaves(state: Any) -> Iterator[tuple[str, str]]:
    """Paths with the canonical text of their values: 1, 1.0 and true are three values."""
    waiting: list[tuple[str | None, Any, int]] = [(None, state, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, dict) and value and depth < MAX_PAYLOAD_DEPTH:
            prefix = "" if path is None else f"{path}."
            waiting += [(prefix + _escape(key), cell, depth + 1) for key, cell in value.items()]
        else:
            yield _WHOLE if path is None else path, json.dumps(value, sort_keys=True, default=str)


def _escape(key: str) -> str:
    if key == _WHOLE:
        return "\\" + _WHOLE
    return key.replace("\\", "\\\\").replace(".", "\\.")
