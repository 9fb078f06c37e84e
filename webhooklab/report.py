"""A comparison as one HTML file that needs no network, to send to a provider."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd

from webhooklab import charts
from webhooklab.comparison import Comparison
from webhooklab.whole import written_whole

MAX_ROWS: Final = 200
"""So many missed webhooks are listed; the head says how many there are."""
_LISTED: Final = ["provider", "entity_type", "entity_id", "version", "occurred_at", "polled_at"]
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 } img { max-width: 100% }
th, td { border: 1px solid #ccc; padding: .25rem .6rem; text-align: left; vertical-align: top }
"""
# Nothing may be loaded or run, whatever a payload smuggled past the escaping.
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write the report, readable by its owner only; returns the path. An old file is replaced.

    It has ids, versions, times and counts; no payloads, headers or URLs, so no secrets. Raises
    `ExportError` when it cannot be written.
    """
    page = report(comparison).encode()
    target = Path(path)
    with written_whole(target) as file:
        file.write(page)
    return target


def report(comparison: Comparison) -> str:
    """The page as text. All that came from the wire is escaped."""
    changes = comparison.changes
    what_if = comparison.what_if()
    parts = [
        _heading(comparison),
        "<h2>At a glance</h2>",
        comparison.at_a_glance.to_html(escape=True),
        _picture("Pushes and polls", charts.plot, changes, charts.height(changes)),
        _picture("How late", charts.plot_latency, changes),
        _missed(comparison),
        _picture("How often to poll?", charts.plot_what_if, what_if),
        f"<p>{escape(what_if.sentence)}</p>",
        what_if.to_html(escape=True, float_format="{:,.3g}".format),
        "<h2>Counts</h2>",
        comparison.summary.to_frame().to_html(escape=True),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>Webhooks against the API</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _heading(comparison: Comparison) -> str:
    skew = comparison.clock_skew
    clocks = f"<p>Clocks: {escape(str(skew))}.</p>" if skew else ""
    head = f"<p><strong>{escape(comparison.verdict)}</strong></p>"
    return f"<h1>Webhooks against the API</h1>{head}{clocks}"


def _picture(
    title: str, draw: Callable[..., Any], frame: pd.DataFrame, height: float = charts.HEIGHT
) -> str:
    image = charts.inlined(lambda axes: draw(frame, axes), height)
    return f'<h2>{escape(title)}</h2><img alt="{escape(title)}" src="{image}">'


def _missed(comparison: Comparison) -> str:
    missed: pd.DataFrame = comparison.missed[_LISTED]
    if missed.empty:
        return "<h2>Missed webhooks</h2><p>None that these data can tell.</p>"
    table = missed.head(MAX_ROWS).to_html(escape=True, index=False, na_rep="")
    listed = f"{len(missed):,}, of which {min(len(missed), MAX_ROWS):,} are listed"
    return f"<h2>Missed webhooks</h2><p>{listed}. Deletions are inferred.</p>{table}"
