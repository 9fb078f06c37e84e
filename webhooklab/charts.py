"""Pictures of a comparison. The door to matplotlib, which is loaded when a picture is asked for."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from webhooklab.comparison import VERDICTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LINES: Final = 40
"""More entities than this are counted over time instead of drawn one by one."""
_BINS: Final = 40
_COLOURS: Final = {
    "both": "#4c72b0",
    "push_only": "#dd8452",
    "poll_only": "#c44e52",
    "pending": "#8c8c8c",
    "unknown": "#ccb974",
}
_HATCHES: Final = {
    "both": "",
    "push_only": "//",
    "poll_only": "xx",
    "pending": "..",
    "unknown": "--",
}


def plot(changes: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """One line per entity: its pushes, polls, the lag between them, and what was missed.

    Marks differ in shape, not only in colour. Of more than `MAX_LINES` entities the verdicts are
    counted over time. `axes=None`: new ones.
    """
    axes = _axes() if axes is None else axes
    lines = changes.assign(label=_labels(changes))
    if lines["label"].nunique() > MAX_LINES:
        _count_over_time(lines, axes)
    else:
        _draw_lines(lines, axes)
    axes.set_xlabel("time (UTC)")
    if len(changes):
        axes.legend(loc="best", fontsize="small")
        axes.figure.autofmt_xdate()
    return axes


def _labels(changes: pd.DataFrame) -> pd.Series:
    ids = changes["entity_id"].fillna("?").astype(object)
    shown = ids.map(lambda name: _plain(name, 24))
    # Two types may use one id.
    return shown.where(~_several_types(changes), changes["entity_type"].fillna("?") + " " + shown)


def _several_types(changes: pd.DataFrame) -> Any:
    return changes.groupby("entity_id")["entity_type"].transform("nunique") > 1


def _plain(text: object, limit: int) -> str:
    """A text from the wire: no mathtext, no control characters, not too long."""
    kept = "".join(c if c.isprintable() else "·" for c in str(text)).replace("$", r"\$")
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _draw_lines(changes: pd.DataFrame, axes: Axes) -> None:
    heights = {label: n for n, label in enumerate(reversed(changes["label"].unique().tolist()))}
    height = changes["label"].map(heights).to_numpy("f8")
    pushed, polled = _naive(changes["received_at"]), _naive(changes["polled_at"])
    both = (changes["verdict"] == "both").to_numpy()
    for level in heights.values():
        axes.axhline(level, color="0.9", linewidth=0.8, zorder=0)
    axes.hlines(height[both], pushed[both], polled[both], color=_COLOURS["both"], linewidth=2)
    for mask, moments, marker, face, label in _marks(changes, pushed, polled):
        if mask.any():
            axes.scatter(
                moments[mask], height[mask], marker=marker, facecolors=face, label=label,
                edgecolors="black", linewidths=0.8, s=42, zorder=3,
            )  # fmt: skip
    axes.set_yticks(list(heights.values()), list(heights))


def _marks(changes: pd.DataFrame, pushed: Any, polled: Any) -> list[tuple[Any, ...]]:
    verdict = changes["verdict"].to_numpy(object)
    missed, overlooked = verdict == "poll_only", verdict == "push_only"
    arrived, seen = changes["received_at"].notna(), changes["polled_at"].notna()
    return [
        (arrived.to_numpy() & ~overlooked, pushed, "^", _COLOURS["both"], "pushed"),
        (seen.to_numpy() & ~missed, polled, "o", "white", "polled"),
        (missed, polled, "X", _COLOURS["poll_only"], "polled, webhook missed"),
        (overlooked, pushed, "s", _COLOURS["push_only"], "pushed, polling overlooked it"),
    ]


def _naive(times: pd.Series) -> Any:
    return times.dt.tz_convert(None).to_numpy("M8[us]")


def _count_over_time(changes: pd.DataFrame, axes: Axes) -> None:
    when = changes["received_at"].fillna(changes["polled_at"])
    moments = _naive(when)
    edges = np.linspace(moments.min().astype("i8"), moments.max().astype("i8") + 1, _BINS + 1)
    below = np.zeros(_BINS)
    for verdict in VERDICTS:
        chosen = moments[(changes["verdict"] == verdict).to_numpy(bool)].astype("i8")
        if not len(chosen):
            continue
        counts = np.histogram(chosen, edges)[0]
        starts = edges[:-1].astype("i8").astype("M8[us]")
        axes.bar(
            starts, counts, np.timedelta64(int(edges[1] - edges[0]), "us"), bottom=below,
            align="edge", label=verdict, color=_COLOURS[verdict], hatch=_HATCHES[verdict],
            edgecolor="white",
        )  # fmt: skip
        below = below + counts
    axes.set_ylabel(f"changes of {changes['label'].nunique():,} entities")


def plot_latency(changes: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How late pushes and polls were after the change: both lags as ECDF, in seconds."""
    axes = _axes() if axes is None else axes
    drawn = False
    for name, label, style in (("push_lag", "webhook", "-"), ("poll_lag", "API poll", "--")):
        lags = changes[name].dropna().dt.total_seconds().to_numpy()
        if len(lags):
            axes.ecdf(lags, label=f"{label} (n = {len(lags):,})", linestyle=style)
            drawn = True
    axes.set_xlabel("seconds after the change")
    axes.set_ylabel("share that had arrived")
    if drawn:
        axes.set_xscale("symlog", linthresh=0.1)
        axes.legend(loc="lower right")
    else:
        axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
    return axes


def plot_what_if(table: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """What polling at other intervals would cost (polls) and give (seconds late, p50 and p99)."""
    axes = _axes() if axes is None else axes
    every = table.index.to_numpy("f8")
    for name, style in (("late_p50", "o-"), ("late_p99", "s--")):
        late = table[name].to_numpy("f8", na_value=np.nan)
        axes.plot(every, late, style, label=name.replace("late_", "late, "))
    axes.set_xlabel("poll every ... seconds")
    axes.set_ylabel("seconds late")
    cost = axes.twinx()
    polls = table["polls"].to_numpy("f8", na_value=np.nan)
    cost.plot(every, polls, "^:", color="0.4", label="polls")
    cost.set_ylabel("polls")
    axes.set_xscale("log")
    handles = [*axes.get_lines(), *cost.get_lines()]
    axes.legend(handles, [str(line.get_label()) for line in handles], loc="upper center")
    return axes


def plot_retries(rows: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How long senders waited before each further attempt, beside what they publish; seconds."""
    axes = _axes() if axes is None else axes
    tries = rows[rows["waited"].notna()]
    for name, marker, size in (("published", "_", 400), ("waited", "o", 40)):
        known = tries[tries[name].notna()]
        seconds = known[name].dt.total_seconds()
        attempts = known["attempt"].astype("i8")
        axes.scatter(attempts, seconds, marker=marker, s=size, label=name, alpha=0.7)
    axes.set_xlabel("attempt (0 was the first)")
    axes.set_ylabel("seconds since the attempt before")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="upper left")
    return axes


def _axes() -> Axes:
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only pictures need it
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install 'webhooklab[lab]'.") from error
    axes: Axes = plt.subplots(figsize=(8, 4), layout="constrained")[1]
    return axes


def inlined(draw: Callable[[Axes], Axes]) -> str:
    """A picture as a `data:` URL, PNG, for a page that loads nothing."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, and only pictures need it

    figure = Figure(figsize=(8, 4), layout="constrained")
    draw(figure.subplots())
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
