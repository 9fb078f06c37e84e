"""The static page that stands in a saved notebook. All that came from the wire is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any


def page(said: dict[str, Any]) -> str:
    """What `told` says, as HTML that needs no kernel and no script; with when this was."""
    when = f"{escape(said['file'])}: webhooks against polls, as of {escape(said['compared_at'])}"
    when += "" if said["fresh"] else "; more had come since"
    parts = [
        f"<p><strong>{escape(said['verdict'])}</strong></p>",
        f"<p>{when}; run the cell again to go on.</p>",
        f"<p>{escape(said['failure'])}</p>" if said["failure"] else "",
        _table(("", "API (pull)", "Webhook (push)"), said["sides"]),
        _table(("verdict", "changes", "meaning"), said["verdicts"]),
        _pollers(said["pollers"]),
    ]
    return f'<div class="webhooklab-live-page">{"".join(parts)}</div>'


_LEFT = 'style="text-align: left"'
"""JupyterLab would have them at the right, as numbers."""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col" {_LEFT}>{escape(each)}</th>' for each in heads)
    body = "".join(_row(*row) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(name: str, *cells: str) -> str:
    rest = "".join(f"<td {_LEFT}>{escape(each)}</td>" for each in cells)
    return f'<tr><th scope="row" {_LEFT}>{escape(name)}</th>{rest}</tr>'


def _pollers(pollers: Iterable[dict[str, str]]) -> str:
    return "".join(f"<p>{escape(_sentence(each))}</p>" for each in pollers)


def _sentence(poller: dict[str, str]) -> str:
    error = f"; last error: {poller['error']}" if poller["error"] else ""
    return f"Poller {poller['name']}: {poller['last']}{error}."
