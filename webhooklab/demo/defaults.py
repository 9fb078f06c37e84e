"""The Shop's constants, each with its unit in its name. No imports."""

from __future__ import annotations

HOST = "127.0.0.1"
"""Loopback only: the Shop is to play with, nobody else is to reach it."""

# Webhooks
RETRY_DELAYS_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Waits between attempts, divided by the speed. Standard Webhooks suggests 5 s, 5 min, 30 min, ...
up to a day; these have the same shape and can be watched."""
ATTEMPT_TIMEOUT_SECONDS = 15.0
"""Standard Webhooks: 15 to 30 s."""
MAX_RETRY_AFTER_SECONDS = 60.0
"""A longer Retry-After is cut to this."""
MAX_ATTEMPTS_IN_FLIGHT = 16
MAX_PENDING_DELIVERIES = 2_000
"""Over it, `Shop.run` waits for the receiver before it goes on living."""
MAX_ANSWER_BYTES = 64 * 2**10
"""How much of a receiver's answer is read, so that the connection can be used again."""
DELAY_SECONDS = 5.0
"""How late a delayed webhook is, divided by the speed."""
MAX_HELD_CHANGES = 50
"""A webhook that is to be overtaken goes anyway after so many changes."""
HELD_QUIET_SECONDS = 2.0
"""... or when nothing has happened for so long, divided by the speed."""

# REST API
PAGE_ITEMS = 50
MAX_PAGE_ITEMS = 200
RATE_LIMIT_PER_MINUTE = 1_000
RATE_WINDOW_SECONDS = 60.0
MAX_REQUEST_BODY_BYTES = 64 * 2**10
IDLE_CONNECTION_SECONDS = 60.0

# Life
CHANGES_PER_SECOND = 1.0
DRAIN_TIMEOUT_SECONDS = 30.0
FEW_OPEN_ENTITIES = 6
MANY_OPEN_ENTITIES = 20
CREATE_CHANCES = (0.6, 0.25, 0.05)
"""Chance that the next change creates something: few, some or many entities are still moving."""
