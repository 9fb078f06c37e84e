"""The relay's limits, with the unit in the name. No imports.

Those of the protocol bind both ends; those of a relay are defaults that its operator may change.
"""

from __future__ import annotations

# The protocol
PROTOCOL = 1
"""What both ends speak; a relay refuses a reader that speaks another."""
MAX_BODY_BYTES = 25 * 2**20
"""Of one delivery."""
MAX_ANSWER_BYTES = 2**20
"""A lab's answer to a sender: its body."""
MAX_HEADERS_BYTES = 64 * 2**10
MAX_HEADERS = 256
MAX_DELIVERY_FRAME_BYTES = 36 * 2**20
"""A delivery of the largest body in base64, with all the rest as JSON."""
MAX_READER_FRAME_BYTES = 2 * 2**20
"""What a reader may send at once: an answer of the largest body, in base64."""
MAX_SEQUENCE = 2**53 - 1
"""Whole numbers that every reader of JSON keeps exactly."""
WINDOW_ROWS = 256
"""So many deliveries may be on their way to a reader, sent and not yet acknowledged."""
WINDOW_BYTES = 32 * 2**20
"""... and so many bytes of bodies, or one delivery of more."""
ANSWER_SECONDS = 2.0
"""How long a sender is kept waiting for the lab's answer; then it gets 202."""
PING_SECONDS = 20.0
"""How often the relay pings a reader."""
SILENCE_SECONDS = 45.0
"""A link on which nothing was heard for so long is dead: both ends cut it without a farewell."""
