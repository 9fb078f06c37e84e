"""The capture file's tables, as steps. A file remembers how many of them it has been through.

Steps are only ever appended: what a released version has written must stay readable.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x77686C62
"""Marks an SQLite file as ours ("whlb"): https://www.sqlite.org/pragma.html#pragma_application_id"""

STEPS: Final[tuple[str, ...]] = (
    # Light rows and heavy ones apart: a search over a million deliveries reads no bodies. Rows of
    # `deliveries` can be derived again from `raws`, but for the times, source, remote and status.
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;

    CREATE TABLE deliveries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at INTEGER NOT NULL,
        stored_at INTEGER NOT NULL,
        source TEXT NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        query_string TEXT NOT NULL,
        provider TEXT,
        event_type TEXT,
        event_id TEXT,
        entity_type TEXT,
        entity_id TEXT,
        occurred_at INTEGER,
        version TEXT,
        event_count INTEGER NOT NULL,
        verified TEXT NOT NULL,
        verified_reason TEXT,
        duplicate_of INTEGER,
        content_type TEXT,
        body_bytes INTEGER NOT NULL,
        remote TEXT,
        status INTEGER,
        event_key TEXT
    );
    CREATE INDEX deliveries_by_event ON deliveries (event_key) WHERE event_key IS NOT NULL;

    CREATE TABLE raws (
        seq INTEGER PRIMARY KEY,
        target TEXT NOT NULL,
        headers_json TEXT NOT NULL,
        body BLOB NOT NULL
    );

    CREATE TABLE items (
        seq INTEGER NOT NULL,
        item INTEGER NOT NULL,
        event_type TEXT,
        event_id TEXT,
        entity_type TEXT,
        entity_id TEXT,
        occurred_at INTEGER,
        version TEXT,
        body BLOB,
        PRIMARY KEY (seq, item)
    ) WITHOUT ROWID;

    CREATE TABLE mappings (path TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE refusals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        refused_at INTEGER NOT NULL,
        remote TEXT,
        status INTEGER,
        reason TEXT NOT NULL
    );
    """,
    # What is pulled. A snapshot is `current` while it is the newest of its entity; `last_seen_at`
    # stays empty while polls still show it, so that an unchanged entity costs no write.
    """
    CREATE TABLE pollers (
        name TEXT PRIMARY KEY,
        definition TEXT NOT NULL,
        first_poll INTEGER NOT NULL,
        shape TEXT
    ) WITHOUT ROWID;

    CREATE TABLE polls (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        poller TEXT NOT NULL,
        url TEXT NOT NULL,
        requested_at INTEGER NOT NULL,
        polled_at INTEGER NOT NULL,
        status INTEGER,
        elapsed_ms INTEGER NOT NULL,
        response_bytes INTEGER NOT NULL,
        request_count INTEGER NOT NULL,
        item_count INTEGER,
        changed INTEGER NOT NULL,
        not_modified INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        rate_remaining INTEGER,
        server_date INTEGER,
        error TEXT
    );
    CREATE INDEX polls_complete ON polls (poller, id) WHERE complete;

    CREATE TABLE snapshots (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        poll INTEGER NOT NULL,
        poller TEXT NOT NULL,
        provider TEXT,
        entity_type TEXT,
        entity_id TEXT NOT NULL,
        version TEXT,
        not_seen_at INTEGER,
        polled_at INTEGER NOT NULL,
        last_seen_at INTEGER,
        state TEXT,
        changed_fields TEXT,
        deleted INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        current INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX snapshots_current ON snapshots (poller, entity_id) WHERE current;

    CREATE TABLE fetches (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        fetcher TEXT NOT NULL,
        seq INTEGER NOT NULL,
        item INTEGER NOT NULL,
        url TEXT,
        fetched_at INTEGER,
        entity_type TEXT,
        entity_id TEXT,
        version TEXT,
        status INTEGER,
        elapsed_ms INTEGER,
        attempts INTEGER NOT NULL,
        state TEXT,
        superseded INTEGER,
        difference TEXT,
        error TEXT
    );
    CREATE INDEX fetches_by_delivery ON fetches (seq);
    """,
    # When deliveries could reach us: without it, nothing that polls saw can be called missed. Of
    # the times when deliveries came that have been deleted since, nothing is known any more.
    """
    CREATE TABLE listening (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_at INTEGER NOT NULL,
        stopped_at INTEGER NOT NULL
    );
    CREATE TABLE holes (first_at INTEGER NOT NULL, last_at INTEGER NOT NULL);
    """,
    # What a sender got may be known only after the commit. `amended` numbers the rows that were
    # changed so, upwards: a reader that has seen some finds the others by the index.
    """
    ALTER TABLE deliveries ADD COLUMN amended INTEGER;
    CREATE INDEX deliveries_amended ON deliveries (amended) WHERE amended IS NOT NULL;
    """,
    # What is sent on. `sender` is a forward ("forward:NAME") or one replay; `final` is the try
    # after which there is no other. `seq` is empty where what was replayed is of another file.
    """
    CREATE TABLE forwards (name TEXT PRIMARY KEY, reached INTEGER NOT NULL) WITHOUT ROWID;

    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sender TEXT NOT NULL,
        seq INTEGER,
        given_seq INTEGER NOT NULL,
        target TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        started_at INTEGER NOT NULL,
        elapsed_ms INTEGER NOT NULL,
        status INTEGER,
        error TEXT,
        response_headers_json TEXT,
        response_body BLOB,
        final INTEGER NOT NULL
    );
    CREATE INDEX attempts_by_delivery ON attempts (seq);
    CREATE INDEX attempts_by_sender ON attempts (sender, seq);
    """,
    # What relays handed on, in the transaction of its delivery: what comes again is not kept
    # twice. All of a channel up to `through` has come, and needs no mark of its own.
    """
    CREATE TABLE channels (channel TEXT PRIMARY KEY, through INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE passages (
        channel TEXT NOT NULL, mark NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (channel, mark)
    ) WITHOUT ROWID;
    """,
)

VERSION: Final = len(STEPS)
AMENDED_SINCE: Final = 4
"""The step that brought `deliveries.amended`."""
