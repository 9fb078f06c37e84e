"""What stands between those who ask for an answer and those who make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from webhooklab.records import Answer


@dataclass(frozen=True, slots=True)
class Made:
    """An answer that was made. `problem`: what went wrong, without any part of the delivery."""

    answer: Answer
    problem: str | None = None


class Asker(Protocol):
    """Waits for one answer."""

    @property
    def over(self) -> bool:
        """Whether it has one already, or has given up: what is made now comes too late."""

    def made(self, made: Made) -> None:
        """This is the answer. To be called once, from any thread."""


class Maker(Protocol):
    """Makes answers from deliveries: by a function of the user's, or by asking another server."""

    @property
    def name(self) -> str:
        """What makes them, as in "answers what NAME returns"."""

    @property
    def seconds(self) -> float:
        """How long it may take; the sender gets 504 then."""

    def make(self, seq: int, asker: Asker) -> None:
        """Begin, for a delivery that is stored, without holding up the loop."""


class Sender(Protocol):
    """Who waits for an answer. On the loop."""

    @property
    def gone(self) -> bool:
        """Whether it has left."""

    def stored(self, seq: int) -> None:
        """Its delivery is in the capture file, as `seq`; its answer comes after this."""

    def release(self) -> None:
        """Let go of what is held of its request, which is on disk; its answer comes later."""

    def reply(self, answer: Answer) -> None:
        """Send it its answer."""
