"""Standard Webhooks and Svix, which it comes from.

https://github.com/standard-webhooks/standard-webhooks (the specification), https://docs.svix.com.
"""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table


def subject(_headers: Headers, body: Any) -> str | None:
    """Event types are hierarchical and end in what happened: "order.shipped" is of an "order"."""
    event_type = mapping(body).get("type")
    return event_type.rpartition(".")[0] or None if isinstance(event_type, str) else None


def _fields(id_header: str) -> Fields:
    # The header is the idempotency key, equal on retries. The timestamp beside it is the time of
    # the attempt, so `occurred_at` comes from the body alone.
    return Fields(
        event_type="type",
        event_id=f"header:{id_header}",
        entity_type=subject,
        entity_id="data.id",
        occurred_at=("timestamp", "created_at"),
    )


STANDARD_WEBHOOKS = Provider(
    name="standardwebhooks",
    title="Standard Webhooks",
    source="https://github.com/standard-webhooks/standard-webhooks",
    marks=(Mark(header="webhook-id", also=("webhook-timestamp",)),),
    reads=_fields("webhook-id"),
    schemes=(table.STANDARD, table.STANDARD_ED25519),
    retries=Retries(
        waits_seconds=(5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400),
        in_words="the specification's suggestion; 410 disables, Retry-After is respected",
        timeout_seconds=15,
    ),
)

SVIX = Provider(
    name="svix",
    title="Svix",
    source="https://docs.svix.com/receiving/introduction",
    marks=(Mark(header="svix-id", also=("svix-timestamp",)),),
    reads=_fields("svix-id"),
    # Its library also takes the headers of Standard Webhooks.
    schemes=(table.SVIX, table.SVIX_ED25519, table.STANDARD, table.STANDARD_ED25519),
    retries=Retries(
        waits_seconds=(5, 300, 1_800, 7_200, 18_000, 36_000, 36_000), timeout_seconds=15
    ),
)
