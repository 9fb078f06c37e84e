"""What goes wrong on purpose, and the seeded dice that decide it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from random import Random

from webhooklab.demo.defaults import DELAY_SECONDS, RATE_LIMIT_PER_MINUTE
from webhooklab.demo.errors import ShopArgumentError


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What the Shop does wrong; chances are 0.0 (never) to 1.0 (always), per event or request.

    `lost`: the webhook is never sent. `duplicated`: it is sent twice, with one `webhook-id`.
    `reordered`: it is held until the entity's next event has been sent; if none comes (50 changes,
    a quiet Shop, `drain`) it goes without having been overtaken, and `truth` does not call it
    reordered. `delayed`: it is sent `delay_seconds / speed` seconds late. `api_errors`: the API
    answers 500. `rate_limit`: API requests per minute of the Shop (60 / speed seconds) before it
    answers 429; None: no limit and no X-RateLimit headers. Raises `ShopArgumentError`.
    """

    lost: float = 0.0
    duplicated: float = 0.0
    reordered: float = 0.0
    delayed: float = 0.0
    delay_seconds: float = DELAY_SECONDS
    api_errors: float = 0.0
    rate_limit: int | None = RATE_LIMIT_PER_MINUTE

    def __post_init__(self) -> None:
        for name in CHANCES:
            _check(name, getattr(self, name), 1.0)
        _check("delay_seconds", self.delay_seconds, 86_400.0)
        if self.rate_limit is not None and self.rate_limit < 1:
            raise ShopArgumentError("rate_limit: pass 1 or more per minute, or None for no limit.")


CHANCES = tuple(f.name for f in fields(Faults) if f.name not in ("delay_seconds", "rate_limit"))
"""The fields that are probabilities, in their order."""


@dataclass
class Dials:
    """What may be changed while the Shop lives: read at each use, never copied."""

    speed: float
    faults: Faults

    def scaled(self, seconds: float) -> float:
        """Return real seconds for the Shop's seconds."""
        return seconds / self.speed


@dataclass(frozen=True)
class Fate:
    """What the dice say about one event's webhook."""

    lost: bool
    duplicated: bool
    reordered: bool
    delayed: bool


class Dice:
    """Seeded decisions. Webhooks and API have their own, so that requests do not shift events."""

    def __init__(self, seed: int | str) -> None:
        self._events = Random(f"{seed!r} webhooks")  # noqa: S311 - a simulation
        self._requests = Random(f"{seed!r} api")  # noqa: S311 - a simulation

    def fate(self, faults: Faults) -> Fate:
        """Decide for one event: always four draws, so that one chance does not shift another."""
        lost, duplicated, reordered, delayed = (self._events.random() for _ in range(4))
        return Fate(
            lost=lost < faults.lost,
            duplicated=duplicated < faults.duplicated,
            reordered=reordered < faults.reordered,
            delayed=delayed < faults.delayed,
        )

    def api_fails(self, faults: Faults) -> bool:
        """Decide for one API request."""
        return self._requests.random() < faults.api_errors


def check_speed(speed: float) -> float:
    """Return `speed` if it is a positive finite number."""
    if not (math.isfinite(speed) and speed > 0):
        raise ShopArgumentError(f"speed: {speed!r} is not a positive number; 2.0 is twice as fast.")
    return speed


def _check(name: str, value: float, most: float) -> None:
    if not 0.0 <= value <= most:
        raise ShopArgumentError(f"{name}: {value!r} is not between 0 and {most:g}.")
