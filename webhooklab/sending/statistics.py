"""What a forward or a replay has done so far."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from webhooklab.sending.outcomes import Outcome


@dataclass(slots=True)
class SendStatistics:
    """Counts since the start. `sent`: taken by the target. `failed`: given up. `left_out`: by rule.

    `last_error` is of the newest try that failed; None: none did.
    """

    attempts: int = 0
    sent: int = 0
    failed: int = 0
    left_out: int = 0
    last_error: str | None = None
    last_status: int | None = None
    last_left_out: str | None = None

    def add(self, outcome: Outcome, *, final: bool) -> None:
        """Count a try."""
        self.attempts += 1
        self.sent += outcome.ok
        self.failed += final and not outcome.ok
        self.last_status = outcome.status
        if not outcome.ok:
            self.last_error = outcome.text

    def leave_out(self, why: str) -> None:
        """Count a delivery that is not to be sent."""
        self.left_out += 1
        self.last_left_out = why

    def as_dict(self) -> dict[str, Any]:
        """A copy, by name."""
        return asdict(self)
