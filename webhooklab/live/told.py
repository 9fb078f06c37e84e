"""What a comparison and its pollers say, in words, for the browser and for the static page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from webhooklab import clock
from webhooklab.comparison.wording import seconds, shortened
from webhooklab.live.limits import ERROR_CHARS, LOOK_SECONDS
from webhooklab.live.refreshing import Refreshing
from webhooklab.pulling import Poller

_LATE: Final = 3 * LOOK_SECONDS
"""Comparisons further apart than this are said to be."""


def told(refreshing: Refreshing, pollers: Iterable[Poller]) -> dict[str, Any]:
    """All that is shown, as text: what JSON can hold."""
    return {
        **refreshing.figures,
        "compared_at": f"{clock.to_datetime(refreshing.compared_at):%Y-%m-%d %H:%M:%S} UTC",
        "fresh": refreshing.fresh,
        "pace": _pace(refreshing),
        "failure": refreshing.failure or "",
        "pollers": [_poller(each) for each in pollers],
    }


def _pace(refreshing: Refreshing) -> str:
    """Said only where comparing takes so long that the figures lag behind."""
    if refreshing.every <= _LATE:
        return ""
    took, every = seconds(refreshing.seconds), seconds(refreshing.every)
    return f"Comparing takes {took} here, so it is done every {every}."


def _poller(poller: Poller) -> dict[str, str]:
    stats = poller.stats
    following = stats["next_poll_at"]
    doing = f"next poll {following:%H:%M:%S} UTC" if following else stats["doing"]
    if following and stats["doing"] != "waiting":
        doing = f"{stats['doing']}, {doing}"
    return {
        "name": shortened(poller.name, 120),
        "doing": shortened(doing, ERROR_CHARS),
        "last": _last(stats),
        "error": _error(stats["last_error"] or "", doing),
    }


def _error(error: str, doing: str) -> str:
    """What went wrong last; nothing where what it is doing says so."""
    return "" if error in doing else shortened(error, ERROR_CHARS)


def _last(stats: dict[str, Any]) -> str:
    at, status = stats["last_polled_at"], stats["last_status"]
    if at is None:
        return "no answer yet"
    return f"last poll {at:%H:%M:%S} UTC, " + (f"status {status}" if status else "no answer")
