"""What a connection is doing, and until when it may."""

from __future__ import annotations

from typing import Final

from webhooklab import clock
from webhooklab.defaults import (
    BODY_TIMEOUT_SECONDS,
    HEADER_TIMEOUT_SECONDS,
    IDLE_TIMEOUT_SECONDS,
    REFUSED_SILENCE_SECONDS,
)

_WAITING: Final = "waiting for a request"
_HEADERS: Final = "reading the headers"
_BODY: Final = "reading the body"
_REFUSED: Final = "reading a refused body"
_COMMITTING: Final = "committing"
_SENDING: Final = "sending the answer"


class Deadline:
    """What a connection is doing (`doing`), and until when it may."""

    def __init__(self) -> None:
        self.doing: str = _WAITING
        self._ends = clock.monotonic() + IDLE_TIMEOUT_SECONDS
        self._body_ends = self._ends

    def waiting(self) -> None:
        """No request has begun."""
        self._allow(_WAITING, IDLE_TIMEOUT_SECONDS)

    def reading_headers(self) -> None:
        """A request has begun. Said again, it changes nothing."""
        if self.doing == _WAITING:
            self._allow(_HEADERS, HEADER_TIMEOUT_SECONDS)

    def reading_body(self) -> None:
        """The headers are there."""
        self._allow(_BODY, BODY_TIMEOUT_SECONDS)
        self._body_ends = self._ends

    def reading_refused_body(self) -> None:
        """A refused body goes on. To close at once would be a reset, which hides our answer."""
        self._allow(_REFUSED, REFUSED_SILENCE_SECONDS)
        self._ends = min(self._ends, self._body_ends)

    def committing(self) -> None:
        """The request is complete. What is slow now is ours: its sender is not punished for it."""
        self._allow(_COMMITTING, float("inf"))

    def sending(self) -> None:
        """The answer is being sent, as fast as the sender takes it."""
        self._allow(_SENDING, IDLE_TIMEOUT_SECONDS)

    @property
    def idle_until(self) -> float | None:
        """Until when it may wait for a request (monotonic); None while it does anything else."""
        return self._ends if self.doing == _WAITING else None

    @property
    def reading(self) -> bool:
        """Whether a request is being read that may yet be captured."""
        return self.doing in (_HEADERS, _BODY)

    @property
    def answering(self) -> bool:
        """Whether a request is complete, and its answer not yet sent."""
        return self.doing in (_COMMITTING, _SENDING)

    def passed(self, now: float) -> bool:
        """Whether it takes too long (`now` is monotonic)."""
        return now > self._ends

    def _allow(self, doing: str, seconds: float) -> None:
        self.doing = doing
        self._ends = clock.monotonic() + seconds
