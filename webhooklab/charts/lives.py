"""What happened to each entity: pushes, polls, the lag between them, and what was missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from webhooklab.charts import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LINES: Final = 40
"""More entities than this are counted over time instead of drawn one by one."""
_BINS: Final = 40
_LOOKS: Final = {
    # Misses first: what stands on the axis can be read off, however much is on top of it.
    "poll_only": ("missed webhooks", canvas.VERMILION, "xx"),
    "push_only": ("overlooked by polls", canvas.ORANGE, "//"),
    "unknown": ("cannot be told", canvas.GREY, "--"),
    "pending": ("too early to tell", "#dddddd", ".."),
    "both": ("pushed and polled", canvas.BLUE, ""),
}
"""Verdict to name, colour and hatch, from the axis up."""


def plot(changes: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """One line per entity: its pushes, polls, the lag between them, and what was missed.

    Marks differ in shape, not only in colour. Of more than `MAX_LINES` entities the verdicts are
    counted over time. `axes=None`: new ones, as high as the lines need.
    """
    axes = canvas.new_axes(height(changes)) if axes is None else axes
    lines = changes.assign(label=_labels(changes))
    if lines["label"].nunique() > MAX_LINES:
        _count_over_time(lines, axes)
    else:
        _draw_lines(lines, axes)
    canvas.along_time(axes)
    if len(changes):
        canvas.legend(axes, columns=4 if lines["label"].nunique() <= MAX_LINES else 3)
    return axes


def height(changes: pd.DataFrame) -> float:
    """How high the picture should be, in inches."""
    lines = _labels(changes).nunique()
    return canvas.HEIGHT if lines > MAX_LINES else min(max(1.4 + 0.27 * lines, 2.4), 12.0)


def _labels(changes: pd.DataFrame) -> pd.Series:
    ids = changes["entity_id"].fillna("?").astype(object)
    shown = ids.map(lambda name: canvas.plain(name, 24))
    # Two types may use one id.
    return shown.where(~_several_types(changes), changes["entity_type"].fillna("?") + " " + shown)


def _several_types(changes: pd.DataFrame) -> Any:
    return changes.groupby("entity_id")["entity_type"].transform("nunique") > 1


def _draw_lines(changes: pd.DataFrame, axes: Axes) -> None:
    heights = {label: n for n, label in enumerate(reversed(changes["label"].unique().tolist()))}
    level = changes["label"].map(heights).to_numpy("f8")
    pushed, polled = canvas.naive(changes["received_at"]), canvas.naive(changes["polled_at"])
    both = (changes["verdict"] == "both").to_numpy()
    for each in heights.values():
        axes.axhline(each, color=canvas.GREY, alpha=0.35, linewidth=0.7, zorder=0)
    axes.hlines(level[both], pushed[both], polled[both], color=canvas.BLUE, linewidth=2.5)
    for mask, moments, label, look in _marks(changes, pushed, polled):
        if mask.any():
            axes.scatter(moments[mask], level[mask], label=label, **look)
    axes.set_yticks(list(heights.values()), list(heights))
    axes.set_ylim(-0.7, len(heights) - 0.3)


def _marks(changes: pd.DataFrame, pushed: Any, polled: Any) -> list[tuple[Any, ...]]:
    verdict = changes["verdict"].to_numpy(object)
    missed, overlooked = verdict == "poll_only", verdict == "push_only"
    arrived, seen = changes["received_at"].notna(), changes["polled_at"].notna()
    ink = canvas.ink()
    edge = {"edgecolors": ink, "linewidths": 0.8, "zorder": 3}
    # A ring that can be seen through: a poll right after its push hides nothing.
    ring = {"marker": "o", "facecolors": "none", "edgecolors": ink, "linewidths": 1.2, "zorder": 4}
    return [
        (
            *(arrived.to_numpy() & ~overlooked, pushed, "pushed"),
            {"marker": "^", "facecolors": canvas.BLUE, "s": 46, **edge},
        ),
        (seen.to_numpy() & ~missed, polled, "polled", {"s": 64, **ring}),
        (
            *(missed, polled, "polled, webhook missed"),
            {"marker": "X", "facecolors": canvas.VERMILION, "s": 72, **edge},
        ),
        (
            *(overlooked, pushed, "pushed, polling overlooked it"),
            {"marker": "s", "facecolors": canvas.ORANGE, "s": 42, **edge},
        ),
    ]


def _count_over_time(changes: pd.DataFrame, axes: Axes) -> None:
    when = changes["received_at"].fillna(changes["polled_at"])
    moments = canvas.naive(when).astype("i8")
    edges = np.linspace(moments.min(), moments.max() + 1, _BINS + 1)
    starts, width = edges[:-1].astype("i8").astype("M8[us]"), int(edges[1] - edges[0])
    below = np.zeros(_BINS)
    for verdict, (name, colour, hatch) in _LOOKS.items():
        chosen = moments[(changes["verdict"] == verdict).to_numpy(bool)]
        if not len(chosen):
            continue
        counts = np.histogram(chosen, edges)[0]
        axes.bar(
            starts, counts, np.timedelta64(width, "us"), bottom=below, align="edge",
            label=f"{name} ({len(chosen):,})", color=colour, hatch=hatch, edgecolor="white",
            linewidth=0.4,
        )  # fmt: skip
        below = below + counts
    axes.set_ylabel(f"changes of {changes['label'].nunique():,} entities")
