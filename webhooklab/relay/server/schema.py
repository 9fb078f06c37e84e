"""The relay's file: its tables, as steps. Append a step, never change one."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x57484C52
"""\"WHLR\"."""

STEPS: Final = (
    # `head`: the newest sequence; `acked`: the newest acknowledged; `queued` and `queued_bytes`:
    # what is not acknowledged; `address`: who made it; `read_at`: when it last had a reader.
    # Times are microseconds since the epoch.
    """
    CREATE TABLE channel (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        token_hash BLOB NOT NULL UNIQUE,
        key_hash BLOB NOT NULL,
        sealed_token BLOB NOT NULL,
        address TEXT NOT NULL,
        read_at INTEGER NOT NULL,
        head INTEGER NOT NULL DEFAULT 0,
        acked INTEGER NOT NULL DEFAULT 0,
        queued INTEGER NOT NULL DEFAULT 0,
        queued_bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX channel_address ON channel (address);
    CREATE INDEX channel_read_at ON channel (read_at);
    CREATE TABLE delivery (
        id INTEGER PRIMARY KEY,
        channel INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        head TEXT NOT NULL,
        body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX delivery_sequence ON delivery (channel, sequence);
    CREATE INDEX delivery_received_at ON delivery (received_at);
    CREATE TABLE acknowledged (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        sequence INTEGER NOT NULL
    )
    """,
)
