"""The static page that stands in a saved notebook. All that came from the wire is escaped.

No bodies, headers or query strings: a notebook is shared more easily than a capture file.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from webhooklab import clock
from webhooklab.inbox.limits import SNAPSHOT_ROWS
from webhooklab.inbox.rows import light_rows
from webhooklab.inbox.state import Description
from webhooklab.store import Store

_HEADS = (
    *("seq", "received (UTC)", "method", "path", "type", "entity", "bytes", "verified"),
    "status",
)
_COLUMNS = (
    *("seq", "received_at", "method", "path", "event_type", "entity_id", "body_bytes"),
    *("verified", "status"),
)
_CELL_CHARS = 80
_HEIGHT_PX = 360


def snapshot_html(store: Store, description: Description, rows: int = SNAPSHOT_ROWS) -> str:
    """The newest deliveries as a table, the newest first, with when this was."""
    with store.reading() as connection:
        found = light_rows(store, connection, store.before_last(connection, rows, "1", ()))
    total = store.count()
    when = f"{clock.to_datetime(clock.now_us()):%Y-%m-%d %H:%M:%S}"
    shown = len(found["seq"])
    newest = f", the newest {shown:,} below" if shown < total else ""
    line = f"{escape(description.file)}: {total:,} deliveries{newest}; as of {when} UTC"
    return (
        '<div class="webhooklab-snapshot">'
        f"<p><strong>webhooklab inbox</strong>, closed.<br>{line}.<br>"
        f"It listened at <code>{escape(description.url)}</code>; run the cell again to go on.</p>"
        f"{_table([found[name] for name in _COLUMNS]) if shown else ''}</div>"
    )


def _table(columns: Sequence[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in _HEADS)
    body = "".join(_row(row) for row in reversed(list(zip(*columns, strict=True))))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="max-height: {_HEIGHT_PX}px; overflow: auto" tabindex="0">{table}</div>'


def _row(row: tuple[object, ...]) -> str:
    seq, received_at, *rest = row
    when = f"{clock.to_datetime(int(str(received_at))):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in (seq, when, *rest)) + "</tr>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)
    return escape(text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1] + "…")
