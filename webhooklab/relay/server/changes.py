"""What happens to a relay's file, and what becomes of it: the words. `applying` does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from webhooklab.relay.server.keys import Keys


class Refused(Enum):
    """Why something was not stored."""

    GONE = "there is nothing at this address"
    FULL = "too much waits to be fetched"
    TOO_MANY = "there are too many channels"


@dataclass(frozen=True, slots=True)
class Make:
    """A new channel. Becomes its id."""

    keys: Keys
    address: str
    at: int


@dataclass(frozen=True, slots=True)
class Post:
    """A delivery. Becomes its sequence. `head` is all but the body, as JSON."""

    channel: int
    received_at: int
    head: str = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.head) + len(self.body)


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A reader has committed this sequence, and all before it, at a time in us."""

    channel: int
    sequence: int
    at: int


@dataclass(frozen=True, slots=True)
class Begin:
    """A reader says what it has committed. Becomes the channel's newest sequence."""

    channel: int
    after: int
    at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A channel ends for good."""

    channel: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop some of what is no longer kept. Becomes what was `Dropped`.

    `read`: the channels that have a reader at present. `at` is now, in us.
    """

    at: int
    read: frozenset[int]


@dataclass(frozen=True, slots=True)
class Dropped:
    """The channels that were given up, and whether there may be more to drop."""

    given_up: list[int]
    more: bool


Change: TypeAlias = Make | Post | Acknowledge | Begin | GiveUp | Drop
Became: TypeAlias = int | Refused | Dropped | None
