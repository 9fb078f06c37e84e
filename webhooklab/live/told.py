"""What a comparison and its pollers say, in words, for the browser and for the static page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from webhooklab import clock
from webhooklab.compared import Comparison
from webhooklab.comparison import VERDICTS
from webhooklab.comparison.wording import MEANING, NOT_MEASURED, count, seconds, shortened
from webhooklab.live.limits import ERROR_CHARS, LOOK_SECONDS
from webhooklab.live.refreshing import Refreshing
from webhooklab.pulling import Poller

_LATE: Final = 3 * LOOK_SECONDS
"""Comparisons further apart than this are said to be."""
_NOTHING_YET: Final = "No webhook has come yet: nothing to hold against the polls."


def told(refreshing: Refreshing, pollers: Iterable[Poller]) -> dict[str, Any]:
    """All that is shown, as text: what JSON can hold."""
    return {
        **_figures(refreshing.latest),
        "compared_at": f"{clock.to_datetime(refreshing.compared_at):%Y-%m-%d %H:%M:%S} UTC",
        "fresh": refreshing.fresh,
        "pace": _pace(refreshing),
        "failure": refreshing.failure or "",
        "pollers": [_poller(each) for each in pollers],
    }


def _figures(compared: Comparison) -> dict[str, Any]:
    summary = compared.summary
    return {
        "verdict": compared.verdict if summary["deliveries"] else _NOTHING_YET,
        "verdicts": [[name, f"{summary[name]:,}", MEANING[name]] for name in VERDICTS],
        "sides": [
            ["half arrived within", *_within(compared.changes, 0.5)],
            ["99 of 100 within", *_within(compared.changes, 0.99)],
            ["cost", _polls(summary), _deliveries(summary)],
            ["brought nothing new", _wasted(summary), _repeated(summary)],
        ],
    }


def _within(changes: pd.DataFrame, share: float) -> tuple[str, str]:
    """How late polls and pushes were, after the change."""
    return _lag(changes["poll_lag"], share), _lag(changes["push_lag"], share)


def _lag(lags: pd.Series, share: float) -> str:
    known = lags.dropna().dt.total_seconds()
    return seconds(known.quantile(share)) if len(known) else NOT_MEASURED


def _polls(summary: pd.Series) -> str:
    polls = int(summary["polls"])
    return f"{count(polls, 'poll')}, {summary['failed_polls']:,} failed" if polls else "no poll yet"


def _deliveries(summary: pd.Series) -> str:
    deliveries = int(summary["deliveries"])
    if not deliveries:
        return "no delivery yet"
    return f"{count(deliveries, 'delivery', 'deliveries')}, {summary['retried']:,} retried"


def _wasted(summary: pd.Series) -> str:
    polls, wasted = int(summary["polls"]), int(summary["wasted_polls"])
    share = f" ({wasted / polls:.0%})".replace("%", " %") if polls else ""
    return count(wasted, "poll") + share


def _repeated(summary: pd.Series) -> str:
    return f"{count(int(summary['duplicate']), 'change')} came twice"


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
        "error": shortened(stats["last_error"] or "", ERROR_CHARS),
    }


def _last(stats: dict[str, Any]) -> str:
    at, status = stats["last_polled_at"], stats["last_status"]
    if at is None:
        return "no answer yet"
    return f"last poll {at:%H:%M:%S} UTC, " + (f"status {status}" if status else "no answer")
