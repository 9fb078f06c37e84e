"""One entity's life in a line, and in a sentence to paste into a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from webhooklab.comparison.arrays import texts
from webhooklab.comparison.sides import column, is_invalid, pushes
from webhooklab.comparison.wording import BECAUSE, count, elapsed, instant, seconds, shortened
from webhooklab.sources import RECOVERED


@dataclass(frozen=True)
class Explanation:
    """`line`: what happened when; `sentence`: what it comes to; `moments`: the line as a frame."""

    entity_id: str
    line: str
    sentence: str
    moments: pd.DataFrame

    def __str__(self) -> str:
        """Both, the line first."""
        return f"{self.line}\n{self.sentence}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p><code>{escape(self.line)}</code></p><p>{escape(self.sentence)}</p>"


def explain(
    entity_id: object,
    changes: pd.DataFrame,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    fetches: pd.DataFrame | None,
) -> Explanation:
    """Tell one entity's life: happened, pushed, retried, polled, fetched."""
    name = str(entity_id)
    own = changes[(changes["entity_id"] == name).to_numpy(bool)]
    moments = _moments(name, own, events, snapshots, fetches)
    line = " → ".join(_step(moment, moments[0]["at"]) for moment in moments)
    frame = pd.DataFrame(moments, columns=["at", "what", "version", "detail"])
    label = shortened(name)
    return Explanation(
        name, f"{label}: {line or 'nothing known'}", _sentence(label, own, moments), frame
    )


def _moments(
    name: str,
    changes: pd.DataFrame,
    events: pd.DataFrame,
    snapshots: pd.DataFrame,
    fetches: pd.DataFrame | None,
) -> list[dict[str, Any]]:
    found = [
        _moment(row["occurred_at"], "happened", row["version"], "")
        for _, row in changes.iterrows()
        if pd.notna(row["occurred_at"])
    ]
    found += _pushed(_of(events, name)) + _polled(_of(snapshots, name))
    if fetches is not None:
        found += _fetched(_of(fetches, name))
    return sorted((each for each in found if pd.notna(each["at"])), key=lambda each: each["at"])


def _of(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame[(texts(column(frame, "entity_id")) == name).to_numpy(bool)]


def _moment(at: Any, what: str, version: Any, detail: str) -> dict[str, Any]:
    return {
        "at": pd.to_datetime(at, utc=True),
        "what": what,
        "version": None if pd.isna(version) else version,
        "detail": detail,
    }


def _pushed(rows: pd.DataFrame) -> list[dict[str, Any]]:
    side = pushes(rows)
    rejected = is_invalid(rows)
    again = column(rows, "duplicate_of").notna().to_numpy()
    found = []
    for position, (_, row) in enumerate(rows.iterrows()):
        what = "retried" if again[position] else "pushed"
        if not side.counts[position]:
            what = "invalid push" if rejected[position] else _ours(row.get("source"))
        status = row.get("status")
        detail = f"seq {side.seq[position]}" + ("" if pd.isna(status) else f", answered {status}")
        found.append(_moment(row.get("received_at"), what, row.get("version"), detail))
    return found


def _ours(source: object) -> str:
    return "recovered by us" if source == RECOVERED else "replayed by us"


def _polled(rows: pd.DataFrame) -> list[dict[str, Any]]:
    gone = column(rows, "deleted").astype("boolean").fillna(False).to_numpy(bool)
    return [
        _moment(
            row.get("polled_at"),
            "gone from polls" if gone[position] else "polled",
            None if gone[position] else row.get("version"),
            "",
        )
        for position, (_, row) in enumerate(rows.iterrows())
    ]


def _fetched(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        _moment(row.get("fetched_at"), "fetched", row.get("version"), f"status {row.get('status')}")
        for _, row in rows.iterrows()
    ]


def _step(moment: dict[str, Any], start: pd.Timestamp) -> str:
    version = f" v{shortened(moment['version'], 30)}" if moment["version"] is not None else ""
    since = (moment["at"] - start).total_seconds()
    when = instant(moment["at"]) if not since else f"+{elapsed(since)}"
    detail = f" ({moment['detail']})" if moment["detail"] else ""
    return f"{moment['what']}{version} {when}{detail}"


def _sentence(label: str, changes: pd.DataFrame, moments: list[dict[str, Any]]) -> str:
    if not moments and not len(changes):
        return f"Nothing is known of {label}: no delivery, no poll and no fetch names it."
    if not len(changes):
        return f"{label} was seen, but no change of it was: there is nothing to compare."
    parts = [_said(row) for _, row in changes.iterrows()]
    return f"{label} changed {count(len(changes), 'time')}: " + "; ".join(parts) + "."


def _said(row: pd.Series) -> str:
    what = "a change" if pd.isna(row["version"]) else f"version {shortened(row['version'], 40)}"
    return f"{what} {_VERDICTS[row['verdict']](row)}{_flaws(row)}"


def _both(row: pd.Series) -> str:
    if pd.isna(row["lead"]):
        return f"was pushed (delivery {row['event_seq']}), and a poll showed it"
    lead = row["lead"].total_seconds()
    order = "before" if lead >= 0 else "after"
    return (
        f"was pushed at {instant(row['received_at'])} (delivery {row['event_seq']}), "
        f"{seconds(abs(lead))} {order} a poll showed it"
    )


def _poll_only(row: pd.Series) -> str:
    inferred = " (the deletion is inferred)" if row["version"] == "deleted" else ""
    return (
        f"was first seen by a poll at {instant(row['polled_at'])}{inferred}, and no webhook for "
        "it ever reached us although we were listening"
    )


def _push_only(row: pd.Series) -> str:
    return (
        f"was pushed at {instant(row['received_at'])} (delivery {row['event_seq']}), and no poll "
        "ever showed it"
    )


def _pending(row: pd.Series) -> str:
    pushed = pd.notna(row["received_at"])
    return (
        "was pushed, no poll can have shown it yet"
        if pushed
        else "was polled, its webhook may still come"
    )


def _unknown(row: pd.Series) -> str:
    return f"cannot be judged: {BECAUSE.get(row['reason'], row['reason'])}"


def _flaws(row: pd.Series) -> str:
    words = {"duplicate": "twice", "out_of_order": "out of order", "stale": "when it was stale"}
    found = [word for flag, word in words.items() if row[flag] is not pd.NA and row[flag]]
    return f" (delivered {', '.join(found)})" if found else ""


_VERDICTS = {
    "both": _both,
    "poll_only": _poll_only,
    "push_only": _push_only,
    "pending": _pending,
    "unknown": _unknown,
}
