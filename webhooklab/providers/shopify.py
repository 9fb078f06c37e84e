"""Shopify: https://shopify.dev/docs/apps/build/webhooks and, newer, its Events."""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

_TOPIC = ("header:x-shopify-topic", "header:shopify-topic")


def _kind(headers: Headers, _body: Any) -> str | None:
    """Topics are plural (`orders/create`), the API's own kinds are not."""
    topic = headers.get("x-shopify-topic") or headers.get("shopify-topic") or ""
    kind = topic.partition("/")[0].lower()
    if kind.endswith("ies"):
        return kind.removesuffix("ies") + "y"
    return kind.removesuffix("s") or None


SHOPIFY = Provider(
    name="shopify",
    title="Shopify",
    source="https://shopify.dev/docs/apps/build/webhooks",
    marks=(
        Mark(header="x-shopify-topic"),
        Mark(header="x-shopify-hmac-sha256"),
        Mark(header="shopify-hmac-sha256"),
    ),
    reads=Fields(
        event_type=_TOPIC,
        # shopify.dev, "Ignore duplicates": equal for all deliveries of one event. Events of
        # several topics may share it, so that the topic is its scope.
        event_id=(
            "header:x-shopify-event-id",
            "header:x-shopify-webhook-id",
            "header:shopify-webhook-id",
        ),
        entity_type=_kind,
        entity_id="id",
        occurred_at=("header:x-shopify-triggered-at", "header:shopify-triggered-at"),
        version="updated_at",
        scope=_TOPIC,
    ),
    schemes=(table.SHOPIFY, table.SHOPIFY_EVENTS),
    retries=Retries(in_words="8 times in 4 hours, with the first payload", timeout_seconds=5),
)
