"""Growth curves of one run, as a picture for light and one for dark pages.

    python -m tests.benchmarks --sizes 1000 10000 100000 1000000 --json figures.json
    python -m tests.benchmarks.picture figures.json notebooks/images/growth

writes `growth-light.png` and `growth-dark.png`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLES: Mapping[str, dict[str, object]] = {
    "light": {"text": "#1f2328", "page": "#ffffff", "grid": "#d1d9e0"},
    "dark": {"text": "#f0f6fc", "page": "#0d1117", "grid": "#3d444d"},
}
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
MARKERS = "os^Dv*"
_SIZED = re.compile(
    r"(?P<what>.+), (?P<rows>[\d,]+) (?:rows|live captures|events and snapshots)\b(?P<more>.*)"
)


class Panel(NamedTuple):
    """What stands in one part of the picture: its title, and figures by their name and unit."""

    title: str
    lines: Mapping[str, str]
    """The name of a figure, with its unit, to what the picture calls it."""
    decades: bool
    """Whether the upward axis is logarithmic."""


PANELS = (
    Panel(
        "seconds",
        {
            "lab.events, cold, s": "lab.events, cold",
            "lab.events, 100 new rows, s": "lab.events, 100 new rows",
            "lab.find(one type, not one path), s": "lab.find",
            "lab.payloads, s": "lab.payloads",
            "lab.export(csv, events), s": "lab.export, CSV",
            "compare, versions are instants, s": "compare",
        },
        decades=True,
    ),
    Panel("requests/s, durable", {"capture, requests/s": "capture"}, decades=False),
    Panel("MB in the browser", {"browser memory above an empty inbox": "inbox"}, decades=False),
)

Curves = dict[str, dict[int, float]]


def curves(figures: Mapping[str, Sequence[float]]) -> Curves:
    """Medians by number of rows, of the figures whose names have one."""
    found: Curves = {}
    for name, values in figures.items():
        if sized := _SIZED.fullmatch(name):
            what = sized["what"] + sized["more"]
            rows = int(sized["rows"].replace(",", ""))
            found.setdefault(what, {})[rows] = statistics.median(values)
    return found


def draw(found: Curves, theme: str) -> Figure:
    """All panels, side by side."""
    style = STYLES[theme]
    texts = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")
    colours = dict.fromkeys(texts, style["text"]) | {
        "figure.facecolor": style["page"],
        "axes.facecolor": style["page"],
        "grid.color": style["grid"],
    }
    with mpl.rc_context(colours):
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        axes = figure.subplots(1, len(PANELS), width_ratios=(2, 1, 1))
        for each, panel in zip(axes, PANELS, strict=True):
            _draw_panel(each, panel, found)
    return figure


def _draw_panel(axes: Axes, panel: Panel, found: Curves) -> None:
    for number, (name, called) in enumerate(panel.lines.items()):
        if points := sorted(found.get(name, {}).items()):
            axes.plot(
                *zip(*points, strict=True),
                label=called,
                color=COLOURS[number],
                marker=MARKERS[number],
            )
    axes.set_xscale("log")
    axes.set_yscale("log" if panel.decades else "linear")
    if not panel.decades:
        axes.set_ylim(bottom=0)
    axes.grid(visible=True, linewidth=0.6)
    axes.set_title(panel.title, loc="left", fontsize="medium")
    axes.set_xlabel("rows in the capture file")
    if len(panel.lines) > 1:
        axes.legend(frameon=False, fontsize="small")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("figures", type=Path, help="what --json wrote")
    parser.add_argument("picture", type=Path, help="where they go: a path without an ending")
    asked = parser.parse_args()
    told = json.loads(asked.figures.read_text())
    found = curves(told["figures"] | {row["what"]: row["rounds"] for row in told["rows"]})
    for theme in STYLES:
        out = asked.picture.with_name(f"{asked.picture.name}-{theme}.png")
        draw(found, theme).savefig(out, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
