"""How often fields were there, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from webhooklab.charts import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_FIELDS: Final = 30
_LINE_INCHES: Final = 0.28
_NAME_CHARACTERS: Final = 50


def plot_presence(presence: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """One line per field (columns), the share of deliveries that had it by time (index): 0 to 1.

    The first `MAX_FIELDS`; empty where none came that could have had it.
    """
    shown = presence.iloc[:, :MAX_FIELDS]
    if axes is None:
        axes = canvas.new_axes(1.2 + _LINE_INCHES * max(3, len(shown.columns)))
    if shown.empty:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "No field has changed.", ha="center", transform=axes.transAxes)
        return axes
    times = canvas.naive(pd.Series(presence.index))
    width = (times[1] - times[0]) if len(times) > 1 else pd.Timedelta("1s").to_numpy()
    for line, name in enumerate(shown.columns):
        share = shown[name].fillna(0.0).to_numpy()
        axes.bar(times, 0.8 * share, width, bottom=line, align="edge", color=canvas.BLUE)
        axes.axhline(line, color=canvas.GREY, linewidth=0.5)
    names = [canvas.plain(name, _NAME_CHARACTERS) for name in shown.columns]
    axes.set_yticks([line + 0.4 for line in range(len(names))], names)
    axes.set_ylim(len(names), -0.1)
    axes.set_title("Share of deliveries with the field", loc="left", fontsize="medium")
    canvas.along_time(axes)
    return axes
