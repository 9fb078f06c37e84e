"""What the pictures share: where they are drawn, in which colours, with which times."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
GREY: Final = "#999999"

WIDTH: Final = 8.0
HEIGHT: Final = 4.0
"""Of a picture, in inches."""

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_SAID: Final = (
    *(mantissa * 10.0**power for power in range(-6, 1) for mantissa in (1, 2, 5)),
    *(10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 18_000, 43_200),
    *(86_400.0 * days for days in (1, 2, 5, 10, 30, 100, 365)),
)


def new_axes(height: float = HEIGHT) -> Axes:
    """Axes of a figure of their own. Raises `ImportError` without matplotlib."""
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - heavy, and only pictures need it
    except ImportError as error:
        raise ImportError("Pictures need matplotlib: pip install 'webhooklab[lab]'.") from error
    axes: Axes = plt.subplots(figsize=(WIDTH, height), layout="constrained")[1]
    return axes


def inlined(draw: Callable[[Axes], Axes], height: float = HEIGHT) -> str:
    """A picture as a `data:` URL, PNG, for a page that loads nothing."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, and only pictures need it

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    draw(figure.subplots())
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def ink() -> str:
    """The colour of text in the user's style: dark on light, light on dark."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy, and only pictures need it

    return str(mpl.rcParams["text.color"])


def legend(axes: Axes, columns: int = 4) -> None:
    """Above the picture, so that it covers nothing of it."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, borderaxespad=0.2,
        fontsize="small", handletextpad=0.4, columnspacing=1.4,
    )  # fmt: skip


def along_time(axes: Axes) -> None:
    """Label the x axis with times in UTC, the date once."""
    from matplotlib import dates  # noqa: PLC0415 - heavy, and only pictures need it

    locator = dates.AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time (UTC)")


def in_spans(axis: Axis, seconds: Any) -> None:
    """Durations on a logarithmic axis: ticks that people say. `seconds`: those that are drawn."""
    from matplotlib import ticker  # noqa: PLC0415 - heavy, and only pictures need it

    least, most = min(seconds), max(seconds)
    ticks = [each for each in _SAID if least / 3 <= each <= most * 3]
    every = max(1, round(len(ticks) / 9))
    axis.set_major_locator(ticker.FixedLocator(ticks[::every]))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(span)


def in_counts(axis: Axis, counts: Any) -> None:
    """Counts on a logarithmic axis, written out. `counts`: those that are drawn."""
    from matplotlib import ticker  # noqa: PLC0415 - heavy, and only pictures need it

    many = max(counts) > 1_000 * min(counts)
    axis.set_major_locator(ticker.LogLocator(subs=(1,) if many else (1, 2, 5)))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")


def naive(times: pd.Series) -> Any:
    """Aware times as matplotlib takes them: UTC without a zone."""
    return times.dt.tz_convert(None).to_numpy("M8[us]")


def span(seconds: float, _position: object = None) -> str:
    """A tick's duration in the unit that reads best; `_position` is what matplotlib adds."""
    size = abs(seconds)
    for unit, scale in _UNITS:
        if size >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms" if seconds else "0 s"


def plain(text: object, limit: int) -> str:
    """A text from the wire: no mathtext, no control characters, not too long."""
    kept = "".join(c if c.isprintable() else "·" for c in str(text)).replace("$", r"\$")
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
