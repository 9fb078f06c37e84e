"""Stripe: snapshot events (https://docs.stripe.com/api/events) and thin ones of API v2.

https://docs.stripe.com/event-destinations says how the two differ.
"""

from __future__ import annotations

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

_OBJECTS = ("event", "v2.core.event")

STRIPE = Provider(
    name="stripe",
    title="Stripe",
    source="https://docs.stripe.com/webhooks",
    marks=(
        Mark(header="stripe-signature"),
        Mark(agent="stripe", says=(("object", _OBJECTS),)),
        Mark(keys=("id",), has=("livemode", "type", "created"), says=(("object", _OBJECTS),)),
    ),
    reads=Fields(
        event_type="type",
        event_id="id",
        entity_type=("data.object.object", "related_object.type"),
        entity_id=("data.object.id", "related_object.id"),
        occurred_at="created",
        version="data.object.updated",
    ),
    schemes=(table.STRIPE,),
    retries=Retries(in_words="for up to 3 days, less and less often; 3 times in a sandbox"),
)
