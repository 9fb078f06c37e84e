"""Push and pull at a glance: the table, with measured numbers in its cells."""

from __future__ import annotations

import pandas as pd

from webhooklab.comparison.costs import PollCost, PushCost
from webhooklab.comparison.wording import NOT_MEASURED, count, percentiles, size

PULL, PUSH = "API (pull)", "Webhook (push)"


def glance(changes: pd.DataFrame, pulled: PollCost | None, pushed: PushCost | None) -> pd.DataFrame:
    """Rows *who initiates* to *failure handling*, columns pull and push; cells are text."""
    rows = {
        "who initiates": ("you ask", "the provider sends"),
        "timing": (_timing(changes, "poll_lag"), _timing(changes, "push_lag")),
        "efficiency": (_polling(pulled), _pushing(pushed)),
        "needs a public URL": ("no", "yes, or a relay"),
        "best for": (_complete(changes), _prompt(changes)),
        "failure handling": (_failed(pulled), _lost(changes, pushed)),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=[PULL, PUSH], dtype="str")


def _timing(changes: pd.DataFrame, lag: str) -> str:
    found = percentiles(changes[lag])
    return f"{found} after the change" if found else NOT_MEASURED


def _polling(cost: PollCost | None) -> str:
    if cost is None or not cost.polls:
        return NOT_MEASURED
    share = f" ({cost.wasted_requests / cost.requests:.0%})" if cost.requests else ""
    share = share.replace("%", " %")
    return (
        f"{count(cost.requests, 'request')}, {cost.wasted_requests:,}{share} "
        f"brought nothing new, {size(cost.bytes)}"
    )


def _pushing(cost: PushCost | None) -> str:
    if cost is None or not cost.deliveries:
        return NOT_MEASURED
    return f"{count(cost.deliveries, 'request')}, {size(cost.bytes)}"


def _complete(changes: pd.DataFrame) -> str:
    overlooked = int((changes["verdict"] == "push_only").sum())
    text = "what is true now, in bulk, to reconcile"
    return f"{text}; overlooked {count(overlooked, 'change')}" if len(changes) else text


def _prompt(changes: pd.DataFrame) -> str:
    found = changes.loc[(changes["verdict"] == "both").to_numpy(bool), "lead"].dropna()
    text = "reacting at once"
    if found.empty:
        return text
    return f"{text}; first in {(found > pd.Timedelta(0)).mean():.0%} of cases".replace("%", " %")


def _failed(cost: PollCost | None) -> str:
    if cost is None or not cost.polls:
        return NOT_MEASURED
    return f"{count(cost.failed, 'poll')} failed, retried" if cost.failed else "no poll failed"


def _lost(changes: pd.DataFrame, cost: PushCost | None) -> str:
    if cost is None or not (cost.deliveries or len(changes)):
        return NOT_MEASURED
    missed = int((changes["verdict"] == "poll_only").sum())
    return f"{cost.retried:,} retried by the provider, {missed:,} never arrived"
