"""What has arrived, held against what was sent."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.crashes.arrived import Kept, Place
from tests.crashes.traffic import Ledger

PATIENCE_SECONDS = 60.0
"""For what reaches a place later than its sender's 2xx: by a relay, or by a forward."""


@dataclass
class Findings:
    """What was wrong at a place: names of deliveries."""

    lost: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    invented: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.lost or self.altered or self.invented or self.repeated)

    def add(self, other: Findings) -> None:
        self.lost |= other.lost
        self.altered |= other.altered
        self.invented |= other.invented
        self.repeated |= other.repeated


class Judge:
    """Looks at a place again and again, while deliveries still arrive there."""

    def __init__(self, ledger: Ledger, place: Place) -> None:
        self._ledger, self._place = ledger, place
        self._keys: dict[str, str | None] = {}
        self.findings = Findings()

    def look(self) -> None:
        """All that was acknowledged by now must be there, soon."""
        acknowledged = set(self._ledger.acknowledged)
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._judge(self._place.new())
        while (missing := acknowledged - self._keys.keys()) and time.monotonic() < deadline:
            time.sleep(0.01)
            self._judge(self._place.new())
        self.findings.lost |= missing

    def look_at_all(self) -> None:
        """All that was ever acknowledged must be there still: nothing is sent any more."""
        again = Judge(self._ledger, self._place)
        again._judge(self._place.whole())
        again.findings.lost = self._ledger.acknowledged - again._keys.keys()
        self.findings.add(again.findings)
        self._keys = again._keys

    def _judge(self, kept: Iterable[Kept]) -> None:
        for each in kept:
            sent = self._ledger.sent.get(each.name)
            if sent is None:
                self.findings.invented.add(each.name)
            elif each.shown != sent:
                self.findings.altered.add(each.name)
            if self._repeats(each):
                self.findings.repeated.add(each.name)
            self._keys.setdefault(each.name, each.key)

    def _repeats(self, kept: Kept) -> bool:
        """Whether it is there once more, and nothing tells that it is the same."""
        known = kept.name in self._keys
        return known and (kept.key is None or self._keys[kept.name] != kept.key)

    @property
    def unanswered(self) -> int:
        """How many are there of which no sender was told so: each may be there, or not."""
        return len(self._keys.keys() - self._ledger.acknowledged)
