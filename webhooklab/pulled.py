"""What is pulled, as records: polls, the states they saw, fetches. Instants in us since 1970."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Shape: TypeAlias = Literal["list", "one"]
"""What a poller's answers are: a list of entities, or one resource."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose polls these are: the poller's name, and what it says of all its entities."""

    poller: str
    provider: str | None = None
    entity_type: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a poller of this name and definition knows from before. Times in us since the epoch.

    `proved_at`: when its newest complete poll began; None: there was none, the next is its first.
    `deleted` and `away` (no longer shown) are entity ids.
    """

    shape: Shape | None = None
    proved_at: int | None = None
    fingerprints: Mapping[str, bytes] = field(default_factory=dict)
    deleted: Collection[str] = ()
    away: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of an entity. `state` is JSON text; None: the entity is deleted."""

    entity_id: str
    version: str | None
    state: str | None
    fingerprint: bytes
    not_seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll as it is kept: the columns of `lab.polls` that are not of its `Subject`."""

    url: str
    requested_at: int
    polled_at: int
    status: int | None
    elapsed_ms: int
    response_bytes: int
    request_count: int
    item_count: int | None
    changed: int
    not_modified: bool
    complete: bool
    rate_remaining: int | None
    server_date: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One event's fetch as it is kept: the columns of `lab.fetches`. JSON as text."""

    seq: int
    item: int
    url: str | None = None
    fetched_at: int | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    version: str | None = None
    status: int | None = None
    elapsed_ms: int | None = None
    attempts: int = 0
    state: str | None = None
    superseded: bool | None = None
    difference: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one event of a delivery says. `item`: its place in a batch, else 0.

    `body` None: a part of a batch that has none of its own.
    """

    seq: int
    item: int
    event_type: str | None
    entity_type: str | None
    entity_id: str | None
    version: str | None
    content_type: str | None
    body: bytes | None
