"""CloudEvents 1.0 over HTTP, in its binary, structured and batched content modes.

https://github.com/cloudevents/spec: spec.md, json-format.md, http-protocol-binding.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import unquote

from webhooklab.bodies import dump_json, media_type
from webhooklab.instants import parse_instant
from webhooklab.providers.base import Provider, mapping, text
from webhooklab.records import Event, Request

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class CloudEvents(Provider):
    """An event's `id` is unique within its `source`; `subject` names what it is about."""

    name: ClassVar[str] = "cloudevents"

    def recognises(self, request: Request) -> bool:
        """By the media type, or by the `ce-` headers of the binary mode."""
        if "ce-id" in request.headers and "ce-specversion" in request.headers:
            return True
        return media_type(request.content_type) in (STRUCTURED, BATCH)

    def events(self, request: Request) -> Sequence[Event]:
        """One event, or as many as the batch holds."""
        media = media_type(request.content_type)
        if media == BATCH:
            if not isinstance(request.data, list):
                return [Event()]
            return [_event(mapping(item), body=dump_json(item)) for item in request.data]
        if media == STRUCTURED:
            return [_event(mapping(request.data))]
        return [_event(_binary_attributes(request))]


def _event(attributes: Mapping[str, object], *, body: bytes | None = None) -> Event:
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
