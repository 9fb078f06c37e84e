"""What a poller or fetcher has done since it was started: counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from webhooklab.clock import to_datetime
from webhooklab.pulled import Fetch, Poll
from webhooklab.pulling.answers import Tally


@dataclass(slots=True)
class PollStatistics:
    """Counts since the start. `response_bytes`: on the wire. `wasted`: brought nothing new.

    `last_error` is of the newest poll that failed, or was stored with an error; None: none was.
    `failing`: the newest poll failed.
    """

    polls: int = 0
    requests: int = 0
    failed: int = 0
    not_modified: int = 0
    wasted: int = 0
    changed: int = 0
    response_bytes: int = 0
    failing: bool = False
    last_error: str | None = None
    last_status: int | None = None
    last_polled_at: datetime | None = None

    def add(self, poll: Poll, *, baseline: bool) -> None:
        """Count a poll. `baseline`: it is the first complete one, which cannot be wasted."""
        self.polls += 1
        self.requests += poll.request_count
        self.response_bytes += poll.response_bytes
        self.changed += poll.changed
        self.not_modified += poll.not_modified
        self.failed += not poll.complete
        self.failing = not poll.complete
        self.wasted += poll.complete and not poll.changed and not baseline
        self.last_status, self.last_polled_at = poll.status, to_datetime(poll.polled_at)
        self.last_error = poll.error or self.last_error

    def as_dict(self) -> dict[str, Any]:
        """A copy, by name."""
        return asdict(self)


@dataclass(slots=True)
class FetchStatistics:
    """Counts since the start. `coalesced`: events that were served by another event's GET.

    `failing`: the newest GET brought nothing.
    """

    events: int = 0
    requests: int = 0
    coalesced: int = 0
    failed: int = 0
    refused: int = 0
    response_bytes: int = 0
    failing: bool = False
    last_error: str | None = None

    def add(self, rows: Sequence[Fetch], tally: Tally) -> None:
        """Count a GET and the events that it served."""
        self.events += len(rows)
        self.requests += tally.requests
        self.coalesced += max(0, len(rows) - 1)
        self.response_bytes += tally.received_bytes
        errors = [row.error for row in rows if row.error is not None]
        self.failed += len(errors)
        self.failing = bool(errors)
        self.last_error = errors[-1] if errors else self.last_error

    def refuse(self, row: Fetch) -> None:
        """Count an event for which nothing is asked."""
        self.events += 1
        self.refused += 1
        self.last_error = row.error

    def as_dict(self) -> dict[str, Any]:
        """A copy, by name."""
        return asdict(self)
