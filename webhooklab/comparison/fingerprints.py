"""What equal states share (rule 12), made fast: the same values come again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from webhooklab import bodies
from webhooklab.comparison.entity_states import canonical

Mark: TypeAlias = tuple[Any, ...]
"""What equal states share."""

_ABSENT: Final = ("absent", None)
_PLAIN: Final = (str, int, float, bool, type(None))


class Marker:
    """Makes fingerprints; remembers the canonical forms of the values that it has seen."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def fingerprint(self, leaves: Mapping[str, Any], paths: Sequence[str]) -> Mark:
        """The canonical values at some paths of a state's leaves."""
        return tuple(self._canonical(leaves[path]) if path in leaves else _ABSENT for path in paths)

    def _canonical(self, value: Any) -> Any:
        key = (type(value), value) if type(value) in _PLAIN else bodies.dump_json(value)
        if key is None:
            return canonical(value)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = canonical(value)
        return known
