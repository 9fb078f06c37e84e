"""Dropping the oldest deliveries, a bounded part at a time: what a capture file no longer keeps.

What is dropped is always the beginning: no row that stays has a lower `seq`. So readers need not
begin again, as they must when rows in their midst are deleted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from webhooklab.defaults import DROP_CHUNK_BYTES, DROP_CHUNK_ROWS
from webhooklab.store import spans
from webhooklab.store.connection import Connection

_KEY: Final = "dropped"
_OLDEST: Final = """
    SELECT seq, stored_at, body_bytes + 1, event_count + 1 FROM deliveries ORDER BY seq LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What has been dropped so far: `count` deliveries, up to the `seq` `through`.

    `until`: when the last of them was stored, in microseconds since the epoch.
    """

    count: int = 0
    through: int = 0
    until: int = 0


def dropped(connection: Connection) -> Dropped:
    """What has been dropped from this file."""
    query = "SELECT value FROM meta WHERE key = ?"
    row = connection.execute(query, (_KEY,)).fetchone()
    return Dropped(**json.loads(row[0])) if row else Dropped()


def oldest(connection: Connection, most: int, before: int | None, size: int) -> Dropped | None:
    """The part that one transaction drops: at most `most` rows, stored before `before` (us).

    No more than makes room for `size` bytes. None: there is no such row. At least one row, however
    large it is.
    """
    size = min(size, DROP_CHUNK_BYTES)
    part, total_bytes, total_events = None, 0, 0
    for seq, stored_at, body_bytes, events in connection.execute(
        _OLDEST, (min(most, DROP_CHUNK_ROWS),)
    ):
        total_bytes, total_events = total_bytes + body_bytes, total_events + events
        too_much = total_bytes > size or total_events > 2 * DROP_CHUNK_ROWS
        if (before is not None and stored_at >= before) or (part is not None and too_much):
            break
        part = Dropped((part.count if part else 0) + 1, seq, stored_at)
    return part


def drop(connection: Connection, part: Dropped) -> None:
    """Drop a part, and note it; what was fetched for it, and tries to send it on, go with it."""
    for table in ("raws", "items", "fetches", "attempts", "deliveries"):
        connection.execute(f"DELETE FROM {table} WHERE seq <= ?", (part.through,))
    connection.execute("DELETE FROM attempts WHERE seq IS NULL AND started_at < ?", (part.until,))
    spans.cut_before(connection, part.until)
    before = dropped(connection)
    until = max(before.until, part.until)  # a clock may have been set back
    now = Dropped(before.count + part.count, part.through, until)
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, json.dumps(asdict(now))))


def used_bytes(connection: Connection) -> int:
    """What the file holds, without the pages that are free."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
