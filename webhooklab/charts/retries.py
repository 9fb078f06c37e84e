"""How long senders waited before they tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from webhooklab.charts import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("published", canvas.ORANGE, {"marker": "_", "s": 400, "linewidths": 2}),
    ("waited", canvas.BLUE, {"marker": "o", "s": 40}),
)


def plot_retries(rows: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How long senders waited before each further attempt, beside what they publish; seconds."""
    axes = canvas.new_axes() if axes is None else axes
    tries = rows[rows["waited"].notna()]
    drawn: list[float] = []
    for name, colour, look in _LOOKS:
        known = tries[tries[name].notna()]
        seconds = known[name].dt.total_seconds().to_numpy()
        attempts = known["attempt"].astype("i8")
        axes.scatter(attempts, seconds, label=name, color=colour, alpha=0.8, **look)
        drawn += seconds.clip(1.0).tolist()  # what is shorter is drawn as on a ruler
    axes.set_xlabel("attempt (0 was the first)")
    axes.set_ylabel("since the attempt before")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    if drawn:
        canvas.in_spans(axes.yaxis, drawn)
    axes.locator_params(axis="x", integer=True)
    canvas.legend(axes)
    return axes
