"""Small worlds for the comparison's tests, as frames, and rows as tests like to read them."""

import json

import pandas as pd

START = pd.Timestamp("2026-01-01T00:00:00Z").as_unit("us")

EVENT = {
    "source": "local",
    "provider": "shop",
    "event_type": "order.updated",
    "event_id": None,
    "entity_type": "order",
    "entity_id": "1",
    "occurred_at": None,
    "version": None,
    "verified": "valid",
    "duplicate_of": None,
    "content_type": "application/json",
    "body_bytes": 2,
    "status": 200,
    "headers_json": "[]",
    "body": None,
}
SNAPSHOT = {
    "poller": "orders",
    "provider": "shop",
    "entity_type": "order",
    "entity_id": "1",
    "version": None,
    "not_seen_at": None,
    "polled_at": None,
    "last_seen_at": None,
    "state": None,
    "deleted": False,
}
FETCH = {
    "seq": None,
    "fetched_at": None,
    "entity_type": "order",
    "entity_id": "1",
    "version": None,
    "status": 200,
    "state": None,
}
POLL = {
    "poller": "orders",
    "url": "https://api.example/orders",
    "requested_at": None,
    "polled_at": None,
    "status": 200,
    "response_bytes": 100,
    "request_count": 1,
    "item_count": 3,
    "changed": 0,
    "complete": True,
    "server_date": None,
    "error": None,
}
TEXTS = [name for name in {**EVENT, **SNAPSHOT} if name.endswith(("_id", "_type"))]
TEXTS += ["source", "provider", "version", "verified", "poller"]


def at(second):
    """A time of the world, `second` after its start."""
    return pd.NaT if second is None else START + pd.Timedelta(microseconds=round(second * 1e6))


def frame(rows, defaults):
    """Rows of columns that differ from the defaults; columns that end in `_at` are seconds."""
    columns = {name: [{**defaults, **row}.get(name) for row in rows] for name in defaults}
    return pd.DataFrame({name: _typed(name, cells) for name, cells in columns.items()})


def _typed(name, cells):
    if name.endswith("_at") or name == "server_date":
        return pd.Series([at(cell) for cell in cells], dtype="datetime64[us, UTC]")
    if name in TEXTS:
        return pd.Series(cells, dtype="str")
    if name in ("duplicate_of", "status", "seq", "changed", "item_count", "request_count"):
        return pd.Series(cells, dtype="Int64")
    if name in ("deleted", "complete"):
        return pd.Series(cells, dtype="boolean")
    return pd.Series(cells, dtype=object)


def events(*rows):
    """Events with `seq` 1, 2, ... (or as they say), `received_at` in seconds."""
    cells = [dict(row) for row in rows]
    seqs = [cell.pop("seq", number) for number, cell in enumerate(cells, 1)]
    for cell in cells:
        if cell.get("body") is None:
            cell["body"] = json.dumps({"id": cell.get("entity_id", "1"), "v": cell.get("version")})
        cell["body"] = cell["body"].encode() if isinstance(cell["body"], str) else cell["body"]
    made = frame(cells, {"received_at": None, **EVENT})
    made.index = pd.Index(seqs, dtype="int64", name="seq")
    return made


def snapshots(*rows):
    """Snapshots; `not_seen_at`, `polled_at` and `last_seen_at` in seconds."""
    return frame(rows, SNAPSHOT)


def polls(*rows):
    """Polls; `polled_at` is 0.2 s after `requested_at` unless said."""
    return frame([{"polled_at": row["requested_at"] + 0.2, **row} for row in rows], POLL)


def fetches(*rows):
    """Fetches, one per event."""
    return frame(rows, FETCH)


def listening(*spans):
    """Spans of (start, stop) in seconds; None is still open. Without any: all the time."""
    rows = spans or ((-1_000_000, None),)
    return frame(
        [{"started_at": start, "stopped_at": stop} for start, stop in rows],
        {"started_at": None, "stopped_at": None},
    )


def seconds(time):
    """A time or a lag of the frames as seconds; None for NaT."""
    if pd.isna(time):
        return None
    span = time - START if isinstance(time, pd.Timestamp) else time
    return round(span.total_seconds(), 6)


def plain(value):
    """A cell as a plain value: NA is None."""
    if not isinstance(value, list) and pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
