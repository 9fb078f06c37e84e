"""When deliveries could reach us, as a frame: what `webhooklab.heartbeat` wrote down."""

from __future__ import annotations

import pandas as pd

from webhooklab.columns import Times, frame
from webhooklab.store import Store, spans


def listened(store: Store) -> pd.DataFrame:
    """`started_at` and `stopped_at` of each span, aware UTC, index `span`."""
    with store.reading() as connection:
        rows = spans.spans(connection)
    columns = {"started_at": Times(), "stopped_at": Times()}
    columns["started_at"].append([row[1] for row in rows])
    columns["stopped_at"].append([row[2] for row in rows])
    return frame(columns, pd.Index([row[0] for row in rows], dtype="int64", name="span"))
