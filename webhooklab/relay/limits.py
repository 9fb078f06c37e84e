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

# A relay's defaults: see `webhooklab relay --help`
QUEUE_ROWS = 10_000
"""Unacknowledged deliveries of one channel; over it the answer is 503."""
QUEUE_BYTES = 256 * 2**20
"""... and their bodies and headers."""
TOTAL_BYTES = 8 * 2**30
"""... and those of all channels together."""
KEPT_SECONDS = 7 * 86_400.0
"""A delivery that nobody fetched is dropped after so long; its reader is told of the gap."""
ACKNOWLEDGED_SECONDS = 60.0
"""So long after it was acknowledged a delivery is dropped."""
CHANNEL_IDLE_SECONDS = 30 * 86_400.0
"""A channel that nobody has read for so long is given up."""
RATE_PER_SECOND = 100.0
"""Deliveries to one channel; over it, and over the burst, the answer is 429."""
RATE_BURST = 1_000
CHANNELS = 10_000
CHANNELS_PER_ADDRESS = 100
"""An IPv6 address counts with its /64."""
NEW_PER_SECOND = 1.0
"""Channels that one address may make; over it, and over the burst, the answer is 429."""
NEW_BURST = 20
CONNECTIONS = 4_000

# A relay's own
SECRET_BYTES = 32
"""Random bytes in a token and in a key."""
CHANNEL_BYTES = 16
HELLO_SECONDS = 5.0
"""A reader says hello within so long."""
SEND_SECONDS = 60.0
"""A reader that does not take one frame in so long is cut off."""
FRAMES_IN_FLIGHT_BYTES = 128 * 2**20
"""Frames being sent at one time, all readers together; more wait for their turn."""
FAREWELL_SECONDS = 2.0
"""A link that is closed with a reason is cut after so long."""
SWEEP_SECONDS = 10.0
"""How often what is no longer kept is dropped."""
DROP_ROWS = 500
"""So many at a time: deliveries are committed in between."""
SWEEP_REST_SECONDS = 0.1
"""... and after so long more of it."""
PAGE_BODY_BYTES = 4 * 2**10
"""What a request that is no delivery may bring along."""
