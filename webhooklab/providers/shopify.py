"""Shopify: https://shopify.dev/docs/apps/build/webhooks and, newer, its Events."""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig, path_keys
from webhooklab.signatures import table

_TOPIC = ("header:x-shopify-topic", "header:shopify-topic")


_ELSEWHERE = {
    "customers/data_request": "customer.id",
    "customers/redact": "customer.id",
    "shop/redact": "shop_id",
    "orders/edited": "order_edit.order_id",
}
"""Where the id is that does not stand at the top."""
_PLURALS = (("ies", "y"), ("sses", "ss"), ("s", ""))


def _topic(headers: Headers) -> str:
    return (headers.get("x-shopify-topic") or headers.get("shopify-topic") or "").lower()


def _kind(headers: Headers, _body: Any) -> str | None:
    """Topics are plural (`orders/create`), the API's own kinds are not."""
    topic = _topic(headers)
    if topic == "app/uninstalled":
        return "shop"  # its body is the shop from which it was
    kind = topic.partition("/")[0]
    for plural, singular in _PLURALS:
        if kind.endswith(plural):
            return kind.removesuffix(plural) + singular or None
    return kind or None


def _identity(headers: Headers, body: Any) -> Any:
    """`id`; some stand below their own name, and some have no id but that of GraphQL."""
    topic = _topic(headers)
    if topic in _ELSEWHERE:
        return dig(body, path_keys(_ELSEWHERE[topic]))
    fields = mapping(body)
    within = mapping(fields.get(_kind(headers, body) or ""))
    found = (part.get(name) for name in ("id", "admin_graphql_api_id") for part in (fields, within))
    return next((each for each in found if each is not None), None)


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
        entity_id=_identity,
        occurred_at=("header:x-shopify-triggered-at", "header:shopify-triggered-at"),
        version="updated_at",
        scope=_TOPIC,
    ),
    schemes=(table.SHOPIFY, table.SHOPIFY_EVENTS),
    retries=Retries(in_words="8 times in 4 hours, with the first payload", timeout_seconds=5),
)
