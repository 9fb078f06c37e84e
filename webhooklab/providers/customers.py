"""WooCommerce, Calendly, LINE."""

from __future__ import annotations

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

WOOCOMMERCE = Provider(
    name="woocommerce",
    title="WooCommerce",
    source="https://developer.woocommerce.com/docs/apis/rest-api/v3/webhooks/",
    marks=(Mark(header="x-wc-webhook-topic"),),
    reads=Fields(
        event_type="header:x-wc-webhook-topic",
        event_id="header:x-wc-webhook-delivery-id",
        entity_type="header:x-wc-webhook-resource",
        entity_id="id",
        occurred_at="date_modified_gmt",
        version="date_modified_gmt",
    ),
    schemes=(table.WOOCOMMERCE,),
    retries=Retries(waits_seconds=(), in_words="none; disabled after 5 failures"),
)

CALENDLY = Provider(
    name="calendly",
    title="Calendly",
    source="https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures",
    marks=(
        Mark(header="calendly-webhook-signature"),
        Mark(keys=("created_at", "event"), has=("payload.scheduled_event", "created_by")),
    ),
    reads=Fields(
        event_type="event",
        entity_type=lambda _, body: str(mapping(body).get("event") or "").partition(".")[0] or None,
        entity_id="payload.uri",  # its API calls what it has by their addresses
        occurred_at="created_at",
        version="payload.updated_at",
    ),
    schemes=(table.CALENDLY,),
    retries=Retries(in_words="for up to 24 hours, then disabled"),
)

LINE = Provider(
    name="line",
    title="LINE",
    source="https://developers.line.biz/en/docs/messaging-api/receiving-messages/",
    marks=(Mark(header="x-line-signature"),),
    reads=Fields(
        items="events",
        event_type="type",
        event_id="webhookEventId",
        entity_type=lambda _, item: "message" if "message" in mapping(item) else "user",
        entity_id=("message.id", "source.userId"),
        occurred_at="timestamp",
    ),
    schemes=(table.LINE,),
    retries=Retries(in_words="if redelivery is switched on, some times"),
)
