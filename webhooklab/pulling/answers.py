"""What comes of a GET: an answer, or a failure. What a round of GETs has cost so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. Instants in microseconds since the epoch.

    `url` is where it came from, after redirects. `headers` is looked up without regard to case.
    `next_link` is the target of `Link: rel=next` (RFC 8288) as sent, perhaps relative; None: the
    header has none. `requested_at` is when its request began, `completed_at` when it was complete.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    next_link: str | None
    requested_at: int
    completed_at: int

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent; None when there is none."""
        return self.headers.get("content-type")


class Failure(Exception):
    """A GET brought nothing that can be used. The message has no credentials in it.

    `status` None: there was no answer. `again`: trying again may help.
    """

    def __init__(self, message: str, *, status: int | None = None, again: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.again = again


@dataclass(slots=True)
class Tally:
    """What a round of requests has cost so far, retries and redirects included.

    `requested_at` is when the request began that got the first answer, or the newest one while
    there is none; `completed_at` is when the newest answer was complete; None before any.
    `status`, `rate_remaining` and `server_date` are those of the newest answer that says so.
    Instants in microseconds since the epoch.
    """

    requests: int = 0
    received_bytes: int = 0
    requested_at: int | None = None
    completed_at: int | None = None
    status: int | None = None
    rate_remaining: int | None = None
    server_date: int | None = None
