"""How late each side was, and what polling more or less often would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from webhooklab.charts import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Side:
    """One curve; `without` is the verdict of those that did not come this way, `so` says it."""

    lag: str
    name: str
    without: str
    so: str
    colour: str
    style: str


_SIDES: Final = (
    _Side("push_lag", "webhook", "poll_only", "never came", canvas.BLUE, "-"),
    _Side("poll_lag", "API poll", "push_only", "overlooked", canvas.ORANGE, "--"),
)


def plot_latency(changes: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How late pushes and polls were after the change: both lags as ECDF, in seconds.

    Of those that came at all; the legend says how many did not.
    """
    axes = canvas.new_axes() if axes is None else axes
    drawn = [side for side in _SIDES if _draw_side(changes, axes, side)]
    axes.set_xlabel("after the change")
    axes.set_ylabel("share that had come by then")
    if drawn:
        _scale(axes, pd.concat([changes[side.lag] for side in drawn]).dropna())
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.3)
        canvas.legend(axes)
    else:
        axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
    return axes


def _draw_side(changes: pd.DataFrame, axes: Axes, side: _Side) -> bool:
    lags = changes[side.lag].dropna().dt.total_seconds().to_numpy()
    if not len(lags):
        return False
    gone = int((changes["verdict"] == side.without).sum())
    label = f"{side.name} ({len(lags):,}" + (f"; {gone:,} {side.so})" if gone else ")")
    axes.ecdf(lags, label=label, linewidth=2, color=side.colour, linestyle=side.style)
    return True


def _scale(axes: Axes, lags: pd.Series) -> None:
    """Powers of ten, with room for what came before it happened (clocks that differ)."""
    seconds = lags.dt.total_seconds().to_numpy()
    positive = seconds[seconds > 0]
    if len(positive) == len(seconds):
        axes.set_xscale("log")
        canvas.in_spans(axes.xaxis, seconds)
    else:
        axes.set_xscale("symlog", linthresh=0.1)
        axes.xaxis.set_major_formatter(canvas.span)


def plot_what_if(table: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """What polling at each interval would cost (polls), against how late changes would be seen.

    The line at each interval is from p50 to p99; beside it is what would be overlooked.
    """
    axes = canvas.new_axes() if axes is None else axes
    known = table.dropna(subset=["polls", "late_p50", "late_p99"]).astype("f8")
    late, most, polls = (known[name].to_numpy() for name in ("late_p50", "late_p99", "polls"))
    axes.plot(late, polls, "-", color=canvas.GREY, linewidth=1, zorder=1)
    axes.hlines(polls, late, most, color=canvas.BLUE, linewidth=2, zorder=2)
    axes.plot(late, polls, "o", color=canvas.BLUE, label="late, p50", zorder=3)
    axes.plot(most, polls, "|", color=canvas.BLUE, markersize=12, label="late, p99", zorder=3)
    for every, row in known.iterrows():
        _name_interval(axes, float(every), row)  # type: ignore[arg-type]
    axes.set_xlabel("how late a change is seen")
    axes.set_ylabel("polls in the time observed")
    if len(known):
        axes.set_xscale("log")
        axes.set_yscale("log")
        canvas.in_spans(axes.xaxis, [*late, *most])
        canvas.in_counts(axes.yaxis, polls)
        axes.set_xlim(late.min() / 2, most.max() * (most.max() / late.min()) ** 0.4 * 2)
        axes.margins(y=0.12)
        canvas.legend(axes)
    else:
        axes.text(0.5, 0.5, "not measured", ha="center", transform=axes.transAxes)
    return axes


def _name_interval(axes: Axes, every: float, row: Any) -> None:
    overlooked = row["overlooked_share"]
    lost = "" if np.isnan(overlooked) else f", {overlooked:.0%} overlooked".replace("%", " %")
    axes.annotate(
        f"every {canvas.span(every)}{lost}", (row["late_p99"], row["polls"]), xytext=(6, 0),
        textcoords="offset points", fontsize="small", va="center",
    )  # fmt: skip
