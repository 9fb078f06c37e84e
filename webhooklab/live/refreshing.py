"""When to compare again: where something has come, or time can tell more, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final

import pandas as pd

from webhooklab import clock
from webhooklab.compared import Comparison
from webhooklab.errors import WebhookLabError
from webhooklab.live.figures import figures
from webhooklab.live.limits import COMPARING_SHARE, LAST_SECONDS, LOOK_SECONDS

_REST: Final = 1 / COMPARING_SHARE - 1
"""Seconds of rest for each second of comparing."""


class Refreshing:
    """A comparison's figures, made again when that may change them.

    `compare` makes the comparison; it is not kept, because it holds all rows. `mark` says what it
    is made of: equal marks, equal rows; it must be cheap. `grace` in seconds, as in `compare`.
    What the first comparison raises is raised here.
    """

    def __init__(
        self, compare: Callable[[], Comparison], mark: Callable[[], Hashable], grace: float
    ) -> None:
        self._make = compare
        self._mark = mark
        self._grace = round(grace * 1e6)
        self._seen: Hashable = None
        self._settles_at: int | None = None
        self._not_before = 0.0
        self.fresh = True
        """Whether nothing has come since `compared_at`, and no more time has to pass."""
        self.failure: str | None = None
        """Why it could not be compared again; None: it could."""
        self.seconds = 0.0
        """What comparing took of this thread's processor time, in seconds."""
        self._compare(mark())

    def refresh(self, *, last: bool = False) -> None:
        """Compare again if that is due. Never raises.

        `last`: whether or not it is its turn, but only if it is quick.
        """
        try:
            mark = self._mark()
            self.fresh = mark == self._seen and not self._time_tells()
            if not self.fresh and self._may_compare(last=last):
                self._compare(mark)
                self.fresh, self.failure = True, None
        except Exception as error:  # shown, and tried again
            self._seen, self.failure = None, _shown(error)

    def _may_compare(self, *, last: bool) -> bool:
        return self.seconds < LAST_SECONDS if last else clock.monotonic() >= self._not_before

    @property
    def every(self) -> float:
        """How far apart in seconds comparisons are at least."""
        return self.seconds + self._rest

    @property
    def _rest(self) -> float:
        return max(LOOK_SECONDS, self.seconds * _REST)

    def _compare(self, mark: Hashable) -> None:
        began, at = time.thread_time(), clock.now_us()
        try:
            compared = self._make()
            shown = figures(compared)
            self._settles_at = _settles_at(compared.changes, self._grace)
        finally:
            self.seconds = time.thread_time() - began
            self._not_before = clock.monotonic() + self._rest
        self.figures, self.compared_at = shown, at
        """All rows up to then are in the figures; in microseconds since the epoch."""
        self._seen = mark

    def _time_tells(self) -> bool:
        return self._settles_at is not None and clock.now_us() >= self._settles_at


def _settles_at(changes: pd.DataFrame, grace: int) -> int | None:
    """When the next change that waits for its webhook has waited long enough; None: none waits."""
    waits = (changes["verdict"] == "pending").to_numpy(bool)
    polled = changes.loc[waits, "polled_at"].dropna()
    return int(polled.astype("int64").min()) + grace if len(polled) else None


def _shown(error: Exception) -> str:
    """What went wrong. A text that is not ours may have anything in it."""
    if isinstance(error, WebhookLabError):
        return str(error)
    return f"Comparing failed with {type(error).__name__}: see lab.compare() for the traceback."
