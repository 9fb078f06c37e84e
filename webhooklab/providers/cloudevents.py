"""CloudEvents over HTTP, in its binary, structured and batched content modes.

https://github.com/cloudevents/spec: spec.md, json-format.md, http-protocol-binding.md and
http-webhook.md (the handshake).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from webhooklab.bodies import dump_json, media_type
from webhooklab.instants import parse_instant
from webhooklab.providers.base import Provider
from webhooklab.providers.fields import mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Answer, Event, Request

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_plain = re.compile(r"[\x21-\x7e]{1,255}").fullmatch
"""What is sent back in a header must be fit to stand in one."""


def events(request: Request) -> Sequence[Event]:
    """One event, or as many as the batch holds."""
    media, data = media_type(request.content_type), request.data
    if media not in (BATCH, STRUCTURED) and "ce-id" in request.headers:
        return [_event(_binary_attributes(request))]
    if isinstance(data, list) and media != STRUCTURED:
        return batch(data)
    return [Event() if media == BATCH else _event(mapping(data))]


def batch(items: Sequence[object]) -> Sequence[Event]:
    """The events of a batch, each with its own part of the body."""
    return [_event(mapping(item), body=dump_json(item)) for item in items]


def _event(attributes: Mapping[str, object], *, body: bytes | None = None) -> Event:
    # An event's `id` is unique within its `source`; `subject` names what it is about.
    return Event(
        event_type=text(attributes.get("type")),
        event_id=text(attributes.get("id")),
        entity_id=text(attributes.get("subject")),
        occurred_at=parse_instant(attributes.get("time")),
        scope=text(attributes.get("source")),
        body=body,
    )


def _binary_attributes(request: Request) -> dict[str, object]:
    # Header values are percent-encoded (HTTP binding, 3.1.3.2).
    names = ("id", "source", "type", "subject", "time")
    values = {name: request.headers.get(f"ce-{name}") for name in names}
    return {name: unquote(value) for name, value in values.items() if value is not None}


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """OPTIONS with WebHook-Request-Origin: this origin may send, at the rate it asks for."""
    origin = request.headers.get("webhook-request-origin") or ""
    if request.method != "OPTIONS" or not _plain(origin):
        return None
    asked = request.headers.get("webhook-request-rate") or ""
    rate = asked if _plain(asked) else "*"
    allowed = [("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", rate)]
    return Answer(200, (*allowed, ("Allow", "OPTIONS, POST")))


_KEYS = ("specversion", "id", "source", "type")

CLOUDEVENTS = Provider(
    name="cloudevents",
    title="CloudEvents",
    source="https://github.com/cloudevents/spec",
    marks=(
        Mark(header="ce-id", also=("ce-specversion",)),
        Mark(media=STRUCTURED),
        Mark(media=BATCH),
        # Sent as plain JSON.
        Mark(keys=(*_KEYS, *(f"[{key}" for key in _KEYS)), has=_KEYS),
        Mark(header="webhook-request-origin"),
    ),
    reads=events,
    unsigned="CloudEvents are not signed: their senders authenticate by the Authorization header",
    handshake=handshake,
    signs_handshakes=False,
)
