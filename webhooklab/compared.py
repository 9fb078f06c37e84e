"""The comparison as users get it: with pictures and a report."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from webhooklab import charts, comparison, report
from webhooklab.comparison.result import INTERVALS_SECONDS
from webhooklab.comparison.what_if import WhatIf
from webhooklab.defaults import GRACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from matplotlib.axes import Axes
    from pandas import DataFrame


class Comparison(comparison.Comparison):
    """Push held against pull: `changes`, `summary`, `missed`, and what is drawn of them."""

    def plot(self, axes: Axes | None = None) -> Axes:
        """One line per entity: pushes, polls, lags, misses; of many entities counts over time."""
        return charts.plot(self.changes, axes)

    def plot_latency(self, axes: Axes | None = None) -> Axes:
        """Both lags after the change as ECDF, in seconds."""
        return charts.plot_latency(self.changes, axes)

    def what_if(self, every: Iterable[float] | float = INTERVALS_SECONDS) -> PlottedWhatIf:
        """Expect what polling `every` so many seconds would cost; `.plot()` draws it."""
        table = super().what_if(every)
        plotted = PlottedWhatIf(table)
        plotted.attrs.update(table.attrs)
        return plotted

    def report(self, path: str | PathLike[str] = "report.html") -> Path:
        """Write one HTML file that needs no network and holds no secrets; returns its path."""
        return report.write_report(self, path)


class PlottedWhatIf(WhatIf):
    """The table of `what_if` with its picture."""

    def plot(self, axes: Axes | None = None) -> Axes:  # type: ignore[override]
        """Polls, and how late, by interval: in place of pandas' lines of unlike quantities."""
        return charts.plot_what_if(self, axes)


def compare(
    events: DataFrame,
    snapshots: DataFrame,
    *,
    polls: DataFrame | None = None,
    fetches: DataFrame | None = None,
    listening: DataFrame | None = None,
    grace: float = GRACE_SECONDS,
    now: datetime | float | str | None = None,
) -> Comparison:
    """Hold webhook events against polled snapshots; see `webhooklab.comparison.compare`."""
    return Comparison(
        events,
        snapshots,
        polls=polls,
        fetches=fetches,
        listening=listening,
        grace=grace,
        now=now,
    )
