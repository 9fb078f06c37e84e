"""The static page that stands in a saved notebook. All that came from the wire is escaped.

No bodies, headers or query strings: a notebook is shared more easily than a capture file.
"""

from __future__ import annotations

from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from webhooklab import clock
from webhooklab.inbox.limits import SNAPSHOT_ROWS
from webhooklab.inbox.rows import light_rows
from webhooklab.inbox.state import Description
from webhooklab.signatures import UNCHECKED
from webhooklab.store import Chunk, Store

_COLUMNS: Final = {
    "seq": "seq",
    "received (UTC)": "received_at",
    "method": "method",
    "path": "path",
    "type": "event_type",
    "entity": "entity_id",
    "bytes": "body_bytes",
    "verified": "verified",
    "answer": "status",
}
_NUMBERS: Final = frozenset({"seq", "bytes", "answer"})
_CELL_CHARS: Final = 80
_HEIGHT_PX: Final = 360


def snapshot_html(store: Store, description: Description, rows: int = SNAPSHOT_ROWS) -> str:
    """The newest deliveries as a table, the newest first, with when this was."""
    with store.reading() as connection:
        found = light_rows(store, connection, store.before_last(connection, rows, "1", ()))
    total = store.count()
    when = f"{clock.to_datetime(clock.now_us()):%Y-%m-%d %H:%M:%S}"
    shown = len(found["seq"])
    newest = f", the newest {shown:,} below" if shown < total else ""
    count = f"{total:,} {'delivery' if total == 1 else 'deliveries'}"
    line = f"{escape(description.file)}: {count}{newest}; as of {when} UTC"
    return (
        '<div class="webhooklab-snapshot">'
        f"<p><strong>webhooklab inbox</strong>, closed.<br>{line}.<br>"
        f"It listened at <code>{escape(_address(description.url))}</code>; "
        "run the cell again to go on.</p>"
        f"{_table(found) if shown else ''}</div>"
    )


def _address(url: str) -> str:
    """Without a path: where it cannot be guessed, who has it may send."""
    parts = urlsplit(url)
    return url if parts.path in ("", "/") else f"{parts.scheme}://{parts.netloc}/***/"


def _table(rows: Chunk) -> str:
    head = "".join(f'<th scope="col"{_side(name)}>{name}</th>' for name in _COLUMNS)
    columns = [[_cell(name, value) for value in rows[_COLUMNS[name]]] for name in _COLUMNS]
    lines = ["".join(cells) for cells in zip(*columns, strict=True)]
    body = "".join(f"<tr>{line}</tr>" for line in reversed(lines))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="max-height: {_HEIGHT_PX}px; overflow: auto" tabindex="0">{table}</div>'


def _side(name: str) -> str:
    return "" if name in _NUMBERS else ' style="text-align:left"'


def _cell(name: str, value: Any) -> str:
    text = _text(name, value)
    cut = text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1] + "…"
    return f"<td{_side(name)}>{escape(cut)}</td>"


def _text(name: str, value: Any) -> str:
    """As the inbox has it: nothing where nothing was checked."""
    if value is None or (name == "verified" and value == UNCHECKED.status):
        return ""
    if name == "bytes":
        return f"{value:,}"
    if name == "received (UTC)":
        return f"{clock.to_datetime(value):%Y-%m-%d %H:%M:%S.%f}"[:-3]
    return str(value)
