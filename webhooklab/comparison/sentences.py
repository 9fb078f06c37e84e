"""The outcome of a comparison in one sentence that a person can act on."""

from __future__ import annotations

from http import HTTPStatus

import pandas as pd

from webhooklab.comparison.sides import column
from webhooklab.comparison.wording import BECAUSE, REMEDY, count, shortened


def no_verdict(pushed: str | None, pulled: str | None, polls: pd.DataFrame | None) -> str:
    """Why nothing can be compared, by example of an id of each side, and what to do."""
    if pushed is None:
        return (
            "No verdicts: no event names an entity. If any came, say where its id is: "
            "lab.map(entity_id=...)."
        )
    if pulled is None:
        return f"No verdicts: no poll has seen an entity yet. {_about_polls(polls)}"
    return (
        f"No verdicts: no entity occurs on both sides. Events look like '{shortened(pushed)}', "
        f"polls like '{shortened(pulled)}': pass entity_id=."
    )


def nothing_said() -> str:
    """Why there is nothing to judge where no event says what the entity has become."""
    why = "events name no version, nor a state that polls show"
    return f"No change can be told: {why}: {REMEDY['thin']}."


def _about_polls(polls: pd.DataFrame | None) -> str:
    if polls is None or not len(polls):
        return "Start one: lab.poll(url)."
    status, error = (column(polls, name).iloc[-1] for name in ("status", "error"))
    if pd.notna(status) and status != HTTPStatus.OK:
        return f"The last one was answered {status}: see that its URL is right, and its auth."
    if pd.notna(error):
        return f"The last one failed: {shortened(error, 200)}"
    return "There may be none yet; else say where they are in the answer: lab.poll(url, items=...)."


def verdict(changes: pd.DataFrame) -> str:
    """The outcome in one sentence that a person can act on."""
    counts = changes["verdict"].value_counts()
    judged = int(sum(counts.get(name, 0) for name in ("both", "push_only", "poll_only")))
    if not judged:
        return _too_little(changes)
    lost, overlooked = int(counts.get("poll_only", 0)), int(counts.get("push_only", 0))
    if lost:
        first = changes.loc[(changes["verdict"] == "poll_only").to_numpy(bool), "entity_id"].iloc[0]
        said = (
            f"{count(lost, 'webhook')} of {count(judged, 'change')} never came: ask the provider, "
            f"with explain({shortened(first)!r}) in the ticket"
        )
    else:
        said = f"No webhook is known to be missing, in {count(judged, 'change')}"
        said += f"; polling overlooked {count(overlooked, 'change')}" if overlooked else ""
    return f"{said}{_of_the_others(changes)}."


def _of_the_others(changes: pd.DataFrame) -> str:
    """How many more changes there are that nothing can be said of, and why."""
    unknown = int((changes["verdict"] == "unknown").sum())
    return f"; of {unknown:,} more these data cannot tell: {_why(changes)}" if unknown else ""


def _too_little(changes: pd.DataFrame) -> str:
    unknown = int((changes["verdict"] == "unknown").sum())
    if not unknown:
        return "Too early to tell: let webhooks and polls go on for a while."
    return f"These data cannot tell of {count(unknown, 'change')}: {_why(changes)}."


def _why(changes: pd.DataFrame) -> str:
    """The most frequent reason, and what to do about it."""
    reason = str(changes["reason"].value_counts().index[0])
    remedy = REMEDY.get(reason)
    return f"{BECAUSE[reason]} ({remedy})" if remedy else BECAUSE[reason]
