"""How much goes to the browser, and how often. Nothing else in here."""

from __future__ import annotations

from typing import Final

from webhooklab.defaults import MAX_KEPT_RESPONSE_BYTES

HELD_ROWS: Final = 20_000
"""The newest rows are held in the browser; older ones are asked for."""
HELD_BYTES: Final = 64 * 2**20
"""Bodies and headers held in the browser; what was looked at longest ago goes first."""
DELTA_SECONDS: Final = 0.1
"""New rows go together, this far apart. One message a delivery would be dropped by the server."""
QUICK_SECONDS: Final = 0.04
"""The same while they are few: servers let 1,000 messages a second of a kernel pass by default."""
FEW_ROWS: Final = 100
"""More than these at a time are many: so often they would leave the browser no time for others."""
HEARTBEAT_SECONDS: Final = 2.0
"""The browser hears from the kernel at least so often, or knows that it cannot answer."""
BACKFILL_ROWS: Final = 2_000
"""Rows that the browser lacks come in messages of so many, the newest first."""
FIRST_ROWS: Final = 200
"""So many of the newest come before all others: enough to fill the screen at once."""
PUSHED_BODY_BYTES: Final = 64 * 2**10
"""A larger body is sent when somebody looks at it."""
PUSHED_BYTES_PER_SECOND: Final = 2 * 2**20
"""Bodies and headers beyond this are sent when somebody looks, so that a slow link keeps up."""
FETCHED_BODY_BYTES: Final = 32 * 2**20
"""A larger body is not sent at all: `lab[seq].body` has it."""
UNPACKED_BODY_BYTES: Final = 8 * 2**20
"""A compressed body is unpacked in the browser to be looked at, and no further than this."""
CELL_CHARS: Final = 2_000
"""Longer texts are cut for the table; their row says so, and the kernel filters by the whole."""
SHOWN_FETCHES: Final = 10
"""So many of a delivery's fetches are shown, the newest."""
SHOWN_TRIES: Final = 40
"""So many of a delivery's attempts are shown, the newest."""
PUSHED_NEWS: Final = 5
"""What was fetched and tried for so many deliveries goes along; for others it is asked for."""
SHOWN_SIDES_BYTES: Final = 512 * 2**10
"""Payload and state together; larger ones are sent when somebody asks for them ..."""
FETCHED_SIDES_BYTES: Final = 32 * 2**20
"""... and beyond this not at all: `lab.fetches` has them."""
SHOWN_TRIES_BYTES: Final = 512 * 2**10
"""Bodies of answers to one delivery's attempts; more are sent when somebody asks for them."""
FETCHED_TRIES_BYTES: Final = SHOWN_TRIES * MAX_KEPT_RESPONSE_BYTES
SHOWN_PULLS: Final = 12
"""So many pollers, fetchers and forwards are shown."""
ACTIONS_AT_ONCE: Final = 4
"""So many deliveries are sent by hand at one time; others wait."""
OLDER_ROWS: Final = 500
"""Rows older than those held are sent in pages of so many."""
EXPORT_BYTES: Final = 32 * 2**20
"""Bodies of an export that the browser downloads; for more there is `lab.export`."""
LEASE_SECONDS: Final = 60.0
"""A browser that was not heard for so long may be gone: it gets rows without bodies ..."""
LEASE_ROWS: Final = 20_000
"""... and of these only so many, because a server keeps for it what it does not fetch."""
RATE_SECONDS: Final = 10.0
"""The rate shown is the mean over this long."""
SNAPSHOT_ROWS: Final = 200
"""Rows of the static page that stands in a saved notebook."""
HELD_DISPLAYS: Final = 50
"""So many of an inbox's places in notebooks get the static page when it closes."""

FOR_BROWSER: Final = {
    "heldRows": HELD_ROWS,
    "heldBytes": HELD_BYTES,
    "heartbeatSeconds": HEARTBEAT_SECONDS,
    "unpackedBytes": UNPACKED_BODY_BYTES,
    "sidesBytes": FETCHED_SIDES_BYTES,
    "keptAnswerBytes": MAX_KEPT_RESPONSE_BYTES,
}
