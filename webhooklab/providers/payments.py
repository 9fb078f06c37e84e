"""PayPal, Square, Paddle (Billing) and Paddle Classic."""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import FORM, Mark
from webhooklab.providers.places import dig
from webhooklab.signatures import table

PAYPAL = Provider(
    name="paypal",
    title="PayPal",
    source="https://developer.paypal.com/api/rest/webhooks/",
    marks=(
        Mark(header="paypal-transmission-id"),
        Mark(agent="paypal", has=("event_type", "resource")),
        Mark(keys=("id",), has=("event_type", "resource_type", "event_version")),
    ),
    reads=Fields(
        event_type="event_type",
        event_id="id",
        entity_type="resource_type",
        entity_id=(
            "resource.id",
            "resource.dispute_id",
            "resource.invoice.id",
            "resource.payout_item_id",
            "resource.batch_header.payout_batch_id",
        ),
        occurred_at="create_time",
        version="resource.update_time",
    ),
    schemes=(table.PAYPAL,),
    retries=Retries(in_words="25 times over 3 days"),
)


def _square_kind(_headers: Headers, body: Any) -> Any:
    """`data.type`, where an order's also says what was done: `order_created`."""
    said = dig(body, ("data", "type"))
    is_order = isinstance(said, str) and said.startswith("order_")
    return "order" if is_order else said


def _square_version(_headers: Headers, body: Any) -> Any:
    """An object stands under its own type's name, and counts its versions or says when it was."""
    entity = mapping(dig(body, ("data", "object", str(dig(body, ("data", "type"))))))
    return entity.get("version", entity.get("updated_at"))


SQUARE = Provider(
    name="square",
    title="Square",
    source="https://developer.squareup.com/docs/webhooks/overview",
    marks=(
        Mark(header="x-square-hmacsha256-signature"),
        Mark(header="x-square-signature"),
        Mark(keys=("merchant_id",), has=("event_id", "type", "data.id")),
    ),
    reads=Fields(
        event_type="type",
        event_id="event_id",
        entity_type=_square_kind,
        entity_id="data.id",
        occurred_at="created_at",
        version=_square_version,
    ),
    schemes=(table.SQUARE,),
    retries=Retries(
        waits_seconds=(60, 120, 240, 480, 960, 1_920, 3_600),
        in_words="then every hour, for 72 hours in all",
        timeout_seconds=10,
        number="header:square-retry-number",
    ),
)


def _before_dot(_headers: Headers, body: Any) -> str | None:
    name = mapping(body).get("event_type")
    return name.partition(".")[0] or None if isinstance(name, str) else None


PADDLE = Provider(
    name="paddle",
    title="Paddle",
    source="https://developer.paddle.com/webhooks/overview",
    marks=(Mark(header="paddle-signature"), Mark(keys=("event_id",), has=("notification_id",))),
    reads=Fields(
        event_type="event_type",
        event_id="event_id",
        entity_type=_before_dot,
        entity_id="data.id",
        occurred_at="occurred_at",
        version="data.updated_at",
    ),
    schemes=(table.PADDLE,),
    retries=Retries(in_words="60 times over 3 days; 3 times in a sandbox", timeout_seconds=5),
)


_CLASSIC = {"subscription_id": "subscription", "order_id": "order", "payout_id": "payout"}
"""Where the id of what a webhook is about stands, and what that is: the first that is there."""


def _classic_kind(_headers: Headers, body: Any) -> str | None:
    fields = mapping(body)
    return next((kind for name, kind in _CLASSIC.items() if fields.get(name)), None)


PADDLE_CLASSIC = Provider(
    name="paddle_classic",
    title="Paddle Classic",
    source="https://developer.paddle.com/classic/reference/webhooks",
    marks=(Mark(media=FORM, has=("p_signature", "alert_name", "alert_id")),),
    reads=Fields(
        event_type="alert_name",
        event_id="alert_id",
        entity_type=_classic_kind,
        entity_id=tuple(_CLASSIC),
        occurred_at="event_time",
    ),
    schemes=(table.PADDLE_CLASSIC,),
    retries=Retries(in_words="for 3 days, less and less often"),
)
