"""The bodies of one event type, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webhooklab import bodies, progress
from webhooklab.schemas.fields import Fields, fields_of
from webhooklab.store import Store

_COLUMNS = ("received_at", "content_type", "body")
_WHERE = "event_type = ?"


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON body; `fields` None: too many, or too deep. `received_at` in us."""

    seq: int
    received_at: int
    value: Any
    fields: Fields | None


def bodies_of(store: Store, event_type: str, what: str) -> Iterator[Body]:
    """The JSON bodies of an event type, in the order of `seq`; others are left out."""
    with progress.bar(store.count(), what) as advance, store.reading() as connection:
        for chunk in store.chunks(connection, _COLUMNS, where=_WHERE, parameters=[event_type]):
            for seq, *row in zip(chunk["seq"], *(chunk[name] for name in _COLUMNS), strict=True):
                if (body := _read(seq, *row)) is not None:
                    yield body
            advance(len(chunk["seq"]))


def span_of(store: Store, event_type: str) -> tuple[int, int]:
    """When the first and the last was received, in us; (0, 0) when there is none."""
    first, last = 2**62, 0
    with store.reading() as connection:
        for chunk in store.chunks(
            connection, ("received_at",), where=_WHERE, parameters=[event_type]
        ):
            first = min(first, *chunk["received_at"])
            last = max(last, *chunk["received_at"])
    return (first, last) if first <= last else (0, 0)


def _read(seq: int, received_at: int, content_type: str | None, body: bytes) -> Body | None:
    if bodies.kind(content_type, body) != bodies.JSON:
        return None
    try:
        value = bodies.parse_json(body, content_type)
    except ValueError:
        return None
    return Body(seq, received_at, value, fields_of(value))
