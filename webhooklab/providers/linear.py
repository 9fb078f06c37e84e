"""Linear: https://linear.app/developers/webhooks."""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping, snake_case
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table


def _event_type(headers: Headers, body: Any) -> str | None:
    """`Issue.create`: what it is about, and what was done."""
    fields = mapping(body)
    kind, action = fields.get("type", headers.get("linear-event")), fields.get("action")
    return ".".join(part for part in (kind, action) if isinstance(part, str)) or None


_ABOUT = {
    "IssueSLA": ("issue", "issueData"),
    "AgentSessionEvent": ("agent_session", "agentSession"),
    "AppUserNotification": ("notification", "notification"),
}
"""Kinds of events whose entity is not in `data`, with its type and where it is."""


def _kind(_headers: Headers, body: Any) -> str | None:
    kind = mapping(body).get("type")
    if not isinstance(kind, str):
        return None
    return _ABOUT[kind][0] if kind in _ABOUT else snake_case(kind)


def _identity(_headers: Headers, body: Any) -> Any:
    fields = mapping(body)
    kind = fields.get("type")
    place = _ABOUT[kind][1] if isinstance(kind, str) and kind in _ABOUT else "data"
    return mapping(fields.get(place)).get("id")


LINEAR = Provider(
    name="linear",
    title="Linear",
    source="https://linear.app/developers/webhooks",
    marks=(Mark(header="linear-signature"), Mark(header="linear-event")),
    reads=Fields(
        event_type=_event_type,
        event_id="header:linear-delivery",
        entity_type=_kind,
        entity_id=_identity,
        occurred_at="createdAt",
        version="data.updatedAt",
    ),
    schemes=(table.LINEAR,),
    retries=Retries(waits_seconds=(60, 3_600, 21_600), timeout_seconds=5),
)
