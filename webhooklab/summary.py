"""A Lab in a few lines: HTML for a notebook. All that came from the wire is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from webhooklab.records import Delivery

_HEADERS = ("seq", "received (UTC)", "method", "path", "type", "entity", "bytes", "status")


def lab_html(headline: str, url: str, deliveries: Sequence[Delivery]) -> str:
    """The Lab's state, its URL, and its newest deliveries as a table."""
    lines = [
        '<div class="webhooklab-summary">',
        f"<p><strong>webhooklab</strong> {escape(headline)}<br><code>{escape(url)}</code></p>",
    ]
    if deliveries:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in _HEADERS)
        rows = "".join(_row(delivery) for delivery in deliveries)
        lines.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    else:
        lines.append("<p>Nothing has arrived yet. Send something to the URL above.</p>")
    return "".join([*lines, "</div>"])


def _row(delivery: Delivery) -> str:
    cells = (
        delivery.seq,
        f"{delivery.received_at:%H:%M:%S.%f}"[:-3],
        delivery.method,
        delivery.path,
        delivery.event_type,
        delivery.entity_id,
        f"{delivery.body_bytes:,}",
        delivery.status,
    )
    return "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in cells) + "</tr>"


def _cell(value: object) -> str:
    return escape(_shortened(str(value))) if value is not None else ""


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
