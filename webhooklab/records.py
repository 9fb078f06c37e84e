"""What the lab keeps: requests as they came, and deliveries as rows. Raw is never altered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from webhooklab import bodies, code
from webhooklab.envelope import Passage
from webhooklab.errors import BodyError
from webhooklab.headers import Headers, Pair
from webhooklab.redaction import printable
from webhooklab.signatures import UNCHECKED, Verification

Kind: TypeAlias = Literal["time", "text", "count", "bytes"]

HERE: Final = "http://127.0.0.1/"
"""Where a delivery is sent again when nobody says where, and nobody listens for its file."""

_as_json = json.JSONEncoder().encode

EVENT_COLUMNS: Final[dict[str, Kind]] = {
    "received_at": "time",
    "stored_at": "time",
    "source": "text",
    "method": "text",
    "path": "text",
    "query_string": "text",
    "provider": "text",
    "event_type": "text",
    "event_id": "text",
    "entity_type": "text",
    "entity_id": "text",
    "occurred_at": "time",
    "version": "text",
    "event_count": "count",
    "verified": "text",
    "verified_reason": "text",
    "duplicate_of": "count",
    "content_type": "text",
    "body_bytes": "count",
    "remote": "text",
    "status": "count",
    "headers_json": "text",
    "body": "bytes",
}
"""The columns of `lab.events`, in order, with what they hold. The index is `seq`."""


class Message:
    """What a request and a delivery have in common: a body that can be read as what it is."""

    body: bytes
    content_type: str | None

    @property
    def text(self) -> str:
        """The body as text, by its charset; bytes that are not text become U+FFFD."""
        return bodies.decode(self.body, self.content_type)

    @property
    def form(self) -> dict[str, Any]:
        """The fields of a form: name to text, or to a list where a name repeats.

        A file is a dict of `filename`, `content_type` and `bytes` (its size). Raises `BodyError`
        when the body is not a form that can be read.
        """
        if bodies.kind(self.content_type, self.body) not in (bodies.FORM, bodies.MULTIPART):
            raise BodyError(
                f"This is not a form: its Content-Type is {self.content_type!r}. "
                "`.body` and `.text` have it as it came."
            )
        fields: dict[str, Any] = self._read(bodies.parse_form, "form")
        return fields

    def json(self) -> Any:
        """The body as JSON. Integers are exact. Raises `BodyError` when it is not JSON."""
        return self._read(bodies.parse_json, "JSON")

    def _read(self, parse: Callable[[bytes, str | None], Any], what: str) -> Any:
        try:
            return parse(self.body, self.content_type)
        except ValueError as error:
            raise BodyError(
                f"This is no {what} that can be read: {error}. "
                "`.body` and `.text` have it as it came."
            ) from error

    def __getitem__(self, key: Any) -> Any:
        """`delivery["id"]` is `delivery.json()["id"]`."""
        return self.json()[key]


class Request(Message):
    """One HTTP request as it arrived, before anything is concluded from it.

    `received_at` is in microseconds since the epoch, by the first receiver's clock; `target` is
    undecoded; `headers` are in order with duplicates; `body` is byte for byte what came, content
    codings included; `passage` is how it came by a relay, None if it did not.
    """

    def __init__(
        self,
        *,
        received_at: int,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        source: str = "local",
        remote: str | None = None,
        passage: Passage | None = None,
    ) -> None:
        self.received_at = received_at
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.source = source
        self.remote = remote
        self.passage = passage
        self.content_type = headers.get("content-type")
        self.path, self.query_string = split_target(target)

    @cached_property
    def data(self) -> Any:
        """The body read as JSON or as a form; None when it is neither, or broken."""
        try:
            return bodies.parse(self.body, self.content_type)
        except ValueError:
            return None


def split_target(target: str) -> tuple[str, str]:
    """A request target's path and query string, undecoded; without the origin if it has one.

    RFC 9112, section 3.2: a target may also be `*`, an authority (CONNECT) or absolute.
    """
    path, _, query = target.partition("?")
    if path.startswith(("http://", "https://")):
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path, query


@dataclass(frozen=True, slots=True)
class Event:
    """What a provider says of one event. None where it says nothing: nothing is invented.

    `occurred_at` is in microseconds since the epoch. `scope` is what makes `event_id` unique where
    the id alone is not (the `source` of a CloudEvent). `body` is the event's own part of a batch.
    """

    event_type: str | None = None
    event_id: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    occurred_at: int | None = None
    version: str | None = None
    scope: str | None = None
    body: bytes | None = None

    @property
    def told(self) -> list[Any] | None:
        """What tells an event of a batch from all others: its id, else its time and content."""
        if self.event_id:
            return [self.scope, self.event_id]
        is_timed = self.occurred_at is not None or self.version is not None
        if self.body is None or not is_timed:
            return None
        return [self.event_type, self.occurred_at, self.version, self.body.decode("latin-1")]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What is concluded from a request: who sent it, and which events it carries.

    `event` is the single event; None when the delivery carries none or several. `items` are the
    events of a batch (which may be a batch of one), at most `MAX_EVENTS_PER_DELIVERY` of the
    `event_count` there are. `digest` stands for the body of an event that has no id, and says when
    it was or which version it is of: with equal bytes it is the same one.
    """

    provider: str | None = None
    event_count: int = 1
    event: Event | None = None
    items: tuple[Event, ...] = ()
    digest: str | None = None

    @property
    def event_key(self) -> str | None:
        """What two deliveries of the same event, or events, have in common; None: nothing tells."""
        event = self.event
        if event is None:
            return self._batch_key()
        # As JSON, and of different lengths, so that no choice of ids makes two keys alike.
        if event.event_id:
            return _as_json([self.provider, event.scope, event.event_id])
        if self.digest is None:
            return None
        told = (event.event_type, event.occurred_at, event.version)
        return _as_json([self.provider, *told, self.digest])

    def _batch_key(self) -> str | None:
        told = [each.told for each in self.items]
        if len(told) != self.event_count or not told or None in told:
            return None
        digest = hashlib.sha256(_as_json(told).encode()).hexdigest()
        return _as_json([self.provider, "batch", len(told), digest])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender gets: a status, headers and a body."""

    status: int = 200
    headers: tuple[Pair, ...] = ()
    body: bytes = b""


UNAUTHORIZED: Final = Answer(401, body=b"the signature is missing or wrong")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request with what was concluded from it and what it is answered: ready to be stored.

    `status` is what its sender is told once it is on disk.
    """

    request: Request
    interpretation: Interpretation
    status: int | None
    verification: Verification = UNCHECKED


@dataclass(frozen=True, kw_only=True)
class Delivery(Message):
    """One captured HTTP request: the columns of `lab.events` as attributes, raw bytes included.

    Times are aware UTC datetimes. None is what a frame shows as NA: not said, or not known.
    `base_url`: where its Lab takes deliveries.
    """

    seq: int
    received_at: datetime
    stored_at: datetime
    source: str
    method: str
    path: str
    query_string: str
    provider: str | None
    event_type: str | None
    event_id: str | None
    entity_type: str | None
    entity_id: str | None
    occurred_at: datetime | None
    version: str | None
    event_count: int
    verified: str
    verified_reason: str | None
    duplicate_of: int | None
    content_type: str | None
    body_bytes: int
    remote: str | None
    status: int | None
    headers_json: str = field(repr=False)
    body: bytes = field(repr=False)
    base_url: str = field(default=HERE, repr=False, compare=False)

    @cached_property
    def headers(self) -> Headers:
        """The headers in order, with duplicates; looked up without regard to case."""
        return Headers.from_json(self.headers_json)

    def curl(self, base_url: str | None = None, *, secrets: bool = False) -> str:
        """A shell command that sends this request again; credentials are `***` unless asked.

        `base_url` None: to the Lab that captured it.
        """
        return code.curl(self._sendable(base_url), secrets=secrets)

    def python(self, base_url: str | None = None, *, secrets: bool = False) -> str:
        """Python (httpx) that sends this request again; otherwise as `curl`."""
        return code.python(self._sendable(base_url), secrets=secrets)

    def _sendable(self, base_url: str | None) -> code.Sendable:
        base = self.base_url if base_url is None else base_url
        query = f"?{self.query_string}" if self.query_string else ""
        url = base.rstrip("/") + "/" + self.path.removeprefix("/") + query
        return code.Sendable(self.method, url, self.headers.pairs, self.body)

    def __repr__(self) -> str:
        named = (self.event_type, self.entity_id, self.content_type)
        what = " ".join(part for part in named if part)
        when = f"{self.received_at:%Y-%m-%d %H:%M:%S}"
        return printable(
            f"<Delivery {self.seq}: {self.method} {self.path} at {when}Z, "
            f"{self.body_bytes:,} bytes{', ' + what if what else ''}>"
        )
