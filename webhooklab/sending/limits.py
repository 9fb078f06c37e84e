"""How often one delivery is tried, and how long is waited in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tenacity import AsyncRetrying, RetryCallState, wait_exponential, wait_random
from tenacity.wait import wait_base

from webhooklab import defaults
from webhooklab.errors import SendArgumentError


@dataclass(frozen=True, slots=True)
class Retry:
    """When a delivery is tried again. Times in seconds.

    `retries`: so many tries after the first one; 0: none. `backoff_seconds`: the first wait,
    doubled with each and with as much jitter; at most `max_backoff_seconds`. `max_wait_seconds`:
    the longest that a target may ask us to wait (`Retry-After`). `unreachable_seconds`: the longest
    wait between two looks at a target that takes no connection. `when_asked`: only where the
    target asks to come again later.
    """

    retries: int = defaults.SEND_RETRIES
    backoff_seconds: float = defaults.SEND_BACKOFF_SECONDS
    max_backoff_seconds: float = defaults.SEND_MAX_BACKOFF_SECONDS
    max_wait_seconds: float = defaults.MAX_RETRY_AFTER_SECONDS
    unreachable_seconds: float = defaults.SEND_UNREACHABLE_SECONDS
    when_asked: bool = False

    def __post_init__(self) -> None:
        times = (self.backoff_seconds, self.max_backoff_seconds, self.max_wait_seconds)
        numbers = (self.retries, *times, self.unreachable_seconds)
        if not all(0 <= each < float("inf") for each in numbers):
            raise SendArgumentError(f"{self!r}: pass numbers of 0 and above.")

    @property
    def wait(self) -> wait_base:
        """How long to wait before another try at a delivery."""
        grown = wait_exponential(self.backoff_seconds, self.max_backoff_seconds)
        return grown + wait_random(0, self.backoff_seconds)

    def look_again(self, failures: int) -> float:
        """How long to wait after a target took no connection so often in a row."""
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = failures
        grown = wait_exponential(self.backoff_seconds / 2, self.unreachable_seconds)
        return grown(state) + wait_random(0, self.backoff_seconds / 2)(state)


Retries: TypeAlias = Retry | int
"""A `Retry`, or only how often one delivery is tried again."""

ONLY_WHEN_ASKED = Retry(retries=5, when_asked=True)


def retry_from(given: Retries) -> Retry:
    """What a user means. Raises `SendArgumentError`."""
    if isinstance(given, Retry):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return Retry(retries=given)
    raise SendArgumentError(f"retry={given!r}: pass how often to try again, or a Retry.")


def check_concurrency(given: int) -> None:
    """Raises `SendArgumentError` where nothing could be sent."""
    if given < 1:
        raise SendArgumentError(f"concurrency={given!r}: pass 1 or more.")
