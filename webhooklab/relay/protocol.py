"""What relay and reader say to each other: the words. `decoding` reads what the other end sent.

    POST /new                              201, a `Channel` as JSON: url, channel, key
    DELETE /listen/<channel>               204: the channel is given up for good
    any method /h/<token>/any/path?query   a delivery: committed, then the lab's answer, or 202
    WebSocket /listen/<channel>            the reader's link; frames are JSON texts, as below

The two for readers want `Authorization: Bearer <key>`; a wrong key and an unknown channel are 404
alike. On a link the reader begins:

    reader   hello(protocol, after)        `after`: the last sequence that it has committed
    relay    ready(head, window)           the newest sequence there is, and how much may be unread
    relay    gap(first, last)              these were dropped before they were acknowledged
    relay    delivery(sequence, ...)       in order, each sequence greater than the one before
    reader   ack(sequence)                 this and all before it are committed: may be dropped
    reader   answer(sequence, ...)         what the sender is to get, if it still waits

Sequences begin with 1, are never given twice, and may have gaps where deliveries were already
acknowledged. Delivery is at least once: after a broken link the reader may see again what it has.
The relay pings each `PING_SECONDS`. A second reader takes the channel over: the first is closed
with `Closing.TAKEN_OVER`, and is not to come back by itself. Fields that are not known are
ignored, so that both ends may grow.
"""

from __future__ import annotations

import base64
import enum
import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from webhooklab.headers import Pair
from webhooklab.relay.limits import PROTOCOL


class Closing(enum.IntEnum):
    """Why a relay closes a link: WebSocket close codes (RFC 6455, section 7.4)."""

    GOING_AWAY = 1001
    """The relay is being ended: come back soon."""
    TAKEN_OVER = 4001
    """Another reader has the channel now."""
    PROTOCOL = 4002
    """The reader said what the protocol does not know."""
    GIVEN_UP = 4004
    """The channel was given up, or has expired."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A relay's inbox. `url` lets others write to it and ends in "/"; `key` lets one read it."""

    url: str = field(repr=False)
    channel: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hello:
    """The reader's first words. `after`: the last sequence it has committed, 0 for none."""

    after: int
    protocol: int = PROTOCOL


@dataclass(frozen=True, slots=True)
class Ready:
    """`head`: the newest sequence, 0 for none. The window in deliveries and in bytes of bodies."""

    head: int
    window: int
    window_bytes: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Deliveries that were accepted and dropped unread, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request as the relay got it.

    `received_at` is in microseconds since the epoch, by the relay's clock. `url` is what the
    sender called, `target` the part of it below the channel, both undecoded. `headers` are in
    order, with duplicates, a character per byte. `remote` is the sender's address, None where it
    is not known. `waiting`: the sender waits for an answer, `ANSWER_SECONDS` at most.
    """

    sequence: int
    received_at: int
    method: str
    url: str = field(repr=False)
    target: str = field(repr=False)
    headers: tuple[Pair, ...] = field(repr=False)
    body: bytes = field(repr=False)
    remote: str | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """This sequence and all before it are committed by the reader."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender of a delivery is to get."""

    sequence: int
    status: int
    headers: tuple[Pair, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


FromReader: TypeAlias = Hello | Ack | Answer
FromRelay: TypeAlias = Ready | Gap | Delivery


def encode(frame: FromReader | FromRelay) -> str:
    """The frame as it is sent."""
    fields: dict[str, Any] = {"type": type(frame).__name__.lower()}
    for name in frame.__dataclass_fields__:
        value = getattr(frame, name)
        fields[name] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return json.dumps(fields, separators=(",", ":"))
