"""Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks (the specification)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from webhooklab.instants import parse_instant
from webhooklab.providers.base import Provider, mapping, text
from webhooklab.records import Event, Request


class StandardWebhooks(Provider):
    """Headers `webhook-id` and `webhook-timestamp`; a body of `type`, `timestamp` and `data`.

    `webhook-id` is the idempotency key, equal on retries. `webhook-timestamp` is the time of the
    attempt, so `occurred_at` comes from the body alone. Event types are hierarchical and end in
    what happened, so "order.shipped" is about an "order".
    """

    name: ClassVar[str] = "standardwebhooks"

    def recognises(self, request: Request) -> bool:
        """Both headers are there."""
        return "webhook-id" in request.headers and "webhook-timestamp" in request.headers

    def events(self, request: Request) -> Sequence[Event]:
        """One delivery is one event."""
        body = mapping(request.data)
        event_type = text(body.get("type"))
        return [
            Event(
                event_type=event_type,
                event_id=request.headers.get("webhook-id"),
                entity_type=event_type.rpartition(".")[0] or None if event_type else None,
                entity_id=text(mapping(body.get("data")).get("id")),
                occurred_at=parse_instant(body.get("timestamp")),
            )
        ]
