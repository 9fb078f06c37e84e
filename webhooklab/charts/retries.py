"""How long senders waited before they tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from webhooklab.charts import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_retries(rows: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """How long senders waited before each further attempt, beside what they publish; seconds."""
    axes = canvas.new_axes() if axes is None else axes
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
