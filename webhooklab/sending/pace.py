"""How fast deliveries are replayed. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webhooklab.errors import SendArgumentError

_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate`: so many a second. `speed`: with the recorded gaps, so many times faster.

    Both None: as fast as the target answers. Raises `SendArgumentError`.
    """

    speed: float | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.speed is not None and self.rate is not None:
            raise SendArgumentError("Pass speed= (recorded gaps) or rate= (a second), not both.")
        for name, value in (("speed", self.speed), ("rate", self.rate)):
            if value is not None and not 0 < value < float("inf"):
                raise SendArgumentError(f"{name}={value!r}: pass a number above 0.")

    @property
    def timed(self) -> bool:
        """Whether it says when each is due."""
        return self.speed is not None or self.rate is not None

    def due_seconds(self, position: int, received_at: int | None, first_at: int | None) -> float:
        """How long after the first one it is to go out; instants in us since the epoch."""
        if self.rate is not None:
            return position / self.rate
        if self.speed is None or received_at is None or first_at is None:
            return 0.0
        return max(0.0, (received_at - first_at) / _SECOND_US / self.speed)
