"""A comparison's figures in words: what of it is shown."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from webhooklab.compared import Comparison
from webhooklab.comparison import VERDICTS
from webhooklab.comparison.wording import MEANING, NOT_MEASURED, count, seconds

_NOTHING_YET: Final = "No webhook has come yet: nothing to hold against the polls."


def figures(compared: Comparison) -> dict[str, Any]:
    """The verdict in a sentence, the counts, and both ways side by side; all of it text."""
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
