"""Limits and defaults, each with its unit in its name. Nothing else in here, no imports.

Some folders have more of them, in a `limits.py` of their own.
"""

from __future__ import annotations

# Capture file
CAPTURE_PATH = "captures.db"
BUSY_TIMEOUT_SECONDS = 5.0
"""How long a write waits for another process that is writing to the same file."""
MAINTENANCE_CHUNK_ROWS = 2_000
"""Deleting and recomputing go in transactions of so many rows: capture goes on meanwhile."""
MAINTENANCE_CHUNK_BYTES = 64 * 2**20
"""Bodies that one such transaction deletes or reads, all together."""
MAINTENANCE_CHUNK_PAGES = 4_096
"""Pages that one such transaction gives back to the disk."""
MAINTENANCE_REST_SECONDS = 0.05
"""The longest pause between two such transactions, for others to write."""
CHECKPOINT_WAIT_SECONDS = 5.0
"""How long `delete` waits for readers, so that what it deleted leaves the write-ahead log too."""
MAX_LOG_ROWS = 10_000
"""Refused requests kept in the capture file; the oldest go first."""

# Retention
MIN_KEPT_BYTES = 10**6
RETENTION_EVERY_SECONDS = 10.0
"""How often a listener looks whether the file holds more than it is to keep."""
DROP_CHUNK_ROWS = 500
"""Rows, and events of batches, that one transaction drops: capture waits for it."""
DROP_CHUNK_BYTES = 4 * 2**20
"""Bodies that one such transaction drops, all together."""
DROP_REST_SHARE = 3.0
"""Rest after each, as a multiple of what it took: dropping takes a quarter of the time at most."""
MIN_KEPT_ROWS = 100
"""So many of the newest deliveries stay, however small the size that is to be kept."""

# Listener
HOST = "127.0.0.1"
MAX_BODY_BYTES = 25 * 2**20
MAX_BODIES_IN_FLIGHT_BYTES = 256 * 2**20
"""Bodies being received at one time, all connections together; over it the answer is 503."""
MAX_HEADER_BYTES = 64 * 2**10
MAX_HEADER_COUNT = 256
MAX_CONNECTIONS = 1_000
"""One more takes the place of the one that has been silent for longest; if all are busy, it gets a
503."""
HEADER_TIMEOUT_SECONDS = 30.0
"""From a request's first byte to the end of its headers."""
BODY_TIMEOUT_SECONDS = 60.0
"""From the end of the headers to the end of the body."""
IDLE_TIMEOUT_SECONDS = 120.0
"""How long a kept-alive connection may stay silent between two requests."""
REFUSED_SILENCE_SECONDS = 2.0
"""A refused body is read on until its sender is silent for so long (and no longer than any body is
read), so that its sender sees the answer and not a reset."""
MAX_CHUNK_LINE_BYTES = 4 * 2**10
"""The line that begins a chunk of a body: its size and its extensions."""
SWEEP_INTERVAL_SECONDS = 0.5
"""How often connections are held against the timeouts above."""
RETRY_AFTER_SECONDS = 5
"""What a sender is told to wait when the store cannot commit."""
OWNERSHIP_PATIENCE_SECONDS = 0.2
"""How long a Lab tries for the lock of its file, which somebody may be looking at just now."""
LISTENING_BEAT_SECONDS = 10.0
"""How often a listener writes down that it still listens; what a crash ends, ends with the last."""
LISTENING_STALL_SECONDS = 5.0
"""A listener that is later than this with it was not to be reached (asleep, or held up)."""
STALL_SECONDS = 1.0
"""A loop that is later than this stood still: senders have waited."""
PORT_RELEASE_SECONDS = 3.0
"""How long a restarted kernel waits for its own port, which the old one may still be leaving."""
SWITCH_INTERVAL_SECONDS = 0.0005
FORK_PATIENCE_SECONDS = 2.0
"""How long `os.fork` waits for a transaction that is under way."""

LOOP_STOP_TIMEOUT_SECONDS = 10.0

# Listeners in processes of their own
CHANNEL_CONNECT_SECONDS = 5.0
CHANNEL_CLOSE_SECONDS = 1.0
"""How long who ends a connection waits for the other end, which may stand still."""
CHANNEL_THREADS = 8
"""Calls of one other process that are served at one time."""
CHANNEL_ANSWER_SECONDS = 15.0
"""How long a call to another process may take."""
MAX_CHANNEL_MESSAGE_BYTES = 64 * 2**20
ROWS_TOLD_SECONDS = 0.01
"""A listener's process tells of new rows at once, and then not again for so long."""
PROCESS_START_SECONDS = 20.0
"""How long a listener's process may take to say where it listens."""
PROCESS_STOP_SECONDS = 20.0
"""How long who stops a listener's process waits for its port: a bit more than it takes at most."""
PROCESS_PASSING_SECONDS = 8.0
"""How long a Lab waits for a listener that is just starting, or just ending."""
KERNEL_GONE_SECONDS = 2.0
"""A process that listens for one kernel only ends so long after that kernel did."""
KERNEL_AWAY_SECONDS = 1.0
"""A kernel that says nothing for so long is away: another rule answers than its function."""
LOCK_LOOK_SECONDS = 2.0
"""How often a listener's process looks whether its lock file is still there."""

# Answering
ANSWER_SECONDS = 30.0
"""How long a function may take to answer a delivery; its sender gets 504 then."""
ANSWER_THREADS = 8
"""So many calls of one function that answers run at a time."""
ANSWER_CLOSE_SECONDS = 2.0
"""How long a closing Lab waits for functions that are answering."""
MAX_ANSWER_DELAY_SECONDS = 300.0

# Waiting
WAIT_TIMEOUT_SECONDS = 30.0
ATTACHED_POLL_SECONDS = 0.1
"""How often an attached lab looks for rows that another process captured."""
FOLLOW_SLICE_SECONDS = 0.25
"""Who waits for deliveries looks up so often, to see whether it should stop."""
POSITION_WRITTEN_SECONDS = 1.0
"""How far a follower or a forward is, is written down at most so often."""

# Health
NOTICES_SECONDS = 2.0
"""What the inbox warns of is looked at so often."""
VITALS_SECONDS = 1.0
"""How long the inbox waits for a listener's process to say how it is."""
DISK_FULL_SHARE = 0.9
SLOW_COMMIT_SECONDS = 1.0
CLOCK_SKEW_SECONDS = 2.0
STALL_TOLD_SECONDS = 600.0
"""So long after the last time that senders had to wait, the inbox says so."""

# Reading bodies
MAX_FORM_FIELDS = 10_000
MAX_FORM_BYTES = 4 * 2**20
"""A longer urlencoded form is kept and not read: decoding it could hold up the capture."""
MAX_EVENTS_PER_DELIVERY = 10_000
"""So many events of one batch become rows of `lab.unbatched`; `event_count` tells of all."""
MAX_PAYLOAD_DEPTH = 50
"""Deeper structure stays in one cell of `lab.payloads`."""
MAX_COLUMNS_PER_PAYLOAD = 2_000
"""A body of more fields stays whole, in column `$`, lest it widen the frame of all others."""
MAX_PAYLOAD_COLUMNS = 10_000
"""No further columns are added to a frame that has so many; a body with others is in `$`, whole."""
MAX_PAYLOAD_CELLS = 200_000_000
"""Rows times columns of `lab.payloads` (about 2 GB); beyond it the emptiest are left out."""

# The filter language
MAX_FILTER_TERMS = 100
MAX_FILTER_CHARACTERS = 10_000

# Group commit
MAX_COMMIT_ROWS = 1_000
"""So many deliveries at most go into one transaction."""
CLOSE_TIMEOUT_SECONDS = 10.0
"""How long a closing listener waits for the answers to what is being committed."""

# Pulling
POLL_EVERY_SECONDS = 30.0
PULL_SILENCE_SECONDS = 30.0
"""How long a server that we ask may send nothing."""
PULL_ANSWER_SECONDS = 120.0
"""How long one answer may take in all."""
MAX_ANSWER_BYTES = 32 * 2**20
"""Of one answer to a poll or fetch, content codings undone."""
PULL_ATTEMPTS = 4
"""How often one GET is tried on 429, 5xx, timeouts and broken connections."""
PULL_BACKOFF_SECONDS = 0.5
PULL_MAX_BACKOFF_SECONDS = 15.0
POLL_MAX_WAIT_SECONDS = 60.0
"""A poll that is asked to wait longer ends as failed; the next one begins when it may."""
MAX_RATE_WAIT_SECONDS = 24 * 3600.0
"""Longer waits than this are not believed: a reset in another unit, or a wrong clock."""
MAX_PAGES = 1_000
"""Of one poll."""
MAX_PULL_REDIRECTS = 5
FETCH_CONCURRENCY = 4
FETCH_TIMEOUT_SECONDS = 30.0
"""How long `drain` waits."""
MAX_WAITING_FETCHES = 10_000
"""So many events wait for their fetch in memory; the next ones wait in the file."""
MAX_ID_CHARACTERS = 512
"""A longer value is not put into a URL."""
MAX_DIFFERENCE_BYTES = 2**20
"""Larger states are fetched and kept, but no difference is computed for them."""

# Importing
MAX_IMPORTED_ROW_BYTES = 64 * 2**20
"""One delivery of a file that is loaded, as it is written there."""
MAX_IMPORTED_DEPTH = 100
"""Deeper JSON around an imported delivery (its body is text) is no archive of deliveries."""
IMPORT_HELD_BYTES = 64 * 2**20
"""A file with less is read once, and its deliveries are held until all are found to be some."""
IMPORT_CHUNK_ROWS = 500
"""Imported rows that one transaction stores: capture goes on meanwhile."""
IMPORT_CHUNK_BYTES = 8 * 2**20
"""Their bodies, all together."""
MAX_IMPORTED_FILES = 100_000
"""In one directory."""

# Sending on
SEND_TIMEOUT_SECONDS = 30.0
"""How long one try may take in all."""
SEND_RETRIES = 12
"""How often one delivery is tried again: with the pauses below, for about half an hour."""
SEND_BACKOFF_SECONDS = 1.0
SEND_MAX_BACKOFF_SECONDS = 300.0
SEND_UNREACHABLE_SECONDS = 15.0
"""The longest pause between two looks at a target that takes no connection."""
MAX_RETRY_AFTER_SECONDS = 3600.0
"""A target that asks to wait longer is asked again after so long."""
SEND_CONCURRENCY = 8
"""Requests under way to one target at one time."""
SEND_IDLE_SECONDS = 2.0
"""A connection is used again for so long: less than servers keep theirs."""
MAX_WAITING_SENDS = 1_000
"""So many deliveries of a forward wait for another try; the next ones wait in the file."""
MAX_KEPT_RESPONSE_BYTES = 64 * 2**10
"""Of a target's answer, in `lab.attempts`."""
MAX_REPLY_BYTES = 16 * 2**20
"""Of a target's answer that its sender gets (`reply`)."""
MAX_UNRECORDED_SENDS = 200
"""So many tries may wait to be written down; the next ones wait."""
SEND_RECORD_SECONDS = 0.05
"""The pause between two transactions that write tries down."""
REPLAY_LEAVE_SECONDS = 2.0
"""How long a replay that is interrupted waits for what is under way."""
SEND_DRAIN_SECONDS = 30.0
"""How long `drain` waits."""
MAX_UNCLAIMED_REPLIES = 1_000

# Samples
SAMPLE_TIMEOUT_SECONDS = 60.0

# Comparing
GRACE_SECONDS = 30.0
"""How long after the first poll that saw a change its webhook may still come."""

# Display
PROGRESS_AFTER_SECONDS = 0.5
"""Work that takes longer shows a progress bar."""

# Exposure
MAX_HANDOVERS = 200
"""Deliveries that the Jupyter server, or a relay's client, hands over at one time; more wait."""
HANDOVER_SECONDS = 120.0
"""How long it waits for the listener's answer, as when `respond` delays it."""
HANDOVER_CONNECT_SECONDS = 10.0
"""... and for a connection."""
HANDOVER_IDLE_SECONDS = 20.0
"""A connection that is not needed for so long is closed, well before the listener would."""
MAX_HANDED_ANSWER_BYTES = 16 * 2**20
"""A lab's longer answer is not handed back."""
EXPOSURE_SECRET_BYTES = 32
"""Random bytes in the segment of a URL that must not be guessed."""
MAX_KEPT_GATES = 100
"""So many addresses of tunnels are remembered for a capture file, the newest."""
CHECK_TIMEOUT_SECONDS = 30.0
"""How long `check` waits for its own delivery to come and be answered."""

# Relays, from the lab's side
LINK_CONNECT_SECONDS = 15.0
"""How long a relay may take to answer a connection, and to say that it is ready."""
LINK_PING_SECONDS = 20.0
"""How often an own relay is asked whether it is there, and how long it may take to say so."""
LINK_ABORT_SECONDS = 1.0
"""How long a WebSocket that has failed may take to be closed; then it is cut."""
LINK_SEND_SECONDS = 10.0
"""How long a relay may take to accept what we say."""
LINK_RETRY_SECONDS = 0.5
"""Before the first try to connect again; doubled with each, and drawn by lot up to that."""
LINK_MAX_RETRY_SECONDS = 30.0
LINK_STEADY_SECONDS = 1.0
"""A connection that lasted so long was a good one: trying begins anew after it."""
SMEE_SILENCE_SECONDS = 75.0
"""Without a word for so long (smee says something each 30 s), the connection is made anew."""
WEBHOOKRELAY_SILENCE_SECONDS = 90.0
"""As its documentation has it: it says something about each minute."""
WEBHOOKRELAY_MISSED_AGE = "24h"
"""How far back Webhook Relay is asked for what was missed."""
WEBHOOKRELAY_PAGE = 100
WEBHOOKRELAY_MAX_PAGES = 100
"""So many deliveries of a page, and pages, are asked for at one time."""
MAX_LINK_FRAME_BYTES = 48 * 2**20
"""What a relay may say at one time: a body of `MAX_BODY_BYTES`, encoded, and its headers."""
LINK_WINDOW = 16
"""Deliveries of a relay that are handed over at one time, while their senders wait."""
SETTLE_EVERY = 200
"""After so many deliveries of a relay their single marks are forgotten."""
KEEP_ATTEMPTS = 6
"""How often a delivery that a relay will not send again is handed over, when it is not kept."""
KEPT_MARKS = 10_000
"""So many deliveries of a relay that numbers none are known again when they come again."""
