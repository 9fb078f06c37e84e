"""When deliveries could reach us, as a frame: what `webhooklab.heartbeat` wrote down."""

from __future__ import annotations

import pandas as pd

from webhooklab import clock
from webhooklab.columns import Times, frame
from webhooklab.heartbeat import TRUSTED_US
from webhooklab.store import Store, spans


def listened(store: Store) -> pd.DataFrame:
    """`started_at` and `stopped_at` of each span, aware UTC, index `span`."""
    with store.reading() as connection:
        rows = spans.spans(connection)
    columns = {"started_at": Times(), "stopped_at": Times()}
    columns["started_at"].append([started for started, _ in rows])
    columns["stopped_at"].append([stopped for _, stopped in rows])
    return frame(columns, pd.RangeIndex(1, len(rows) + 1, name="span")).copy()


def told_until(store: Store) -> int:
    """Up to when the file tells what came, in us: the last heartbeat, where somebody listens.

    Where nobody does, nothing is awaited: now.
    """
    now = clock.now_us()
    with store.reading() as connection:
        newest = spans.newest(connection)
    return newest if newest is not None and 0 <= now - newest <= TRUSTED_US else now
