"""Discord: interactions and webhook events.

https://docs.discord.com/developers/interactions/overview, .../events/webhook-events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Answer, Event, Request
from webhooklab.signatures import table

_INTERACTIONS = {
    1: "PING",
    2: "APPLICATION_COMMAND",
    3: "MESSAGE_COMPONENT",
    4: "APPLICATION_COMMAND_AUTOCOMPLETE",
    5: "MODAL_SUBMIT",
}


def events(request: Request) -> Sequence[Event]:
    """`APPLICATION_COMMAND`, `ENTITLEMENT_CREATE`, ...: Discord's own names."""
    body = mapping(request.data)
    if "event" in body or body.get("type") == 0:
        return [_webhook_event(mapping(body.get("event")))]
    return [_interaction(body)]


def _webhook_event(event: dict[str, Any]) -> Event:
    own, user = text(dig(event, ("data", "id"))), text(dig(event, ("data", "user", "id")))
    name = text(event.get("type")) or "PING"
    kind = (name.rpartition("_")[0].lower() or None) if own else "user"
    return Event(
        event_type=name,
        entity_type=kind if own or user else None,
        entity_id=own or user,
        occurred_at=instant(event.get("timestamp")),
    )


def _interaction(body: dict[str, Any]) -> Event:
    number, identity = body.get("type"), text(body.get("id"))
    return Event(
        event_type=_INTERACTIONS.get(number) if isinstance(number, int) else None,
        event_id=identity,
        entity_type="interaction" if identity else None,
        entity_id=identity,
    )


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """PING: of interactions (type 1) with a PONG, of webhook events (type 0) with a 204."""
    body = mapping(request.data)
    kind = body.get("type")
    if isinstance(kind, bool) or "event" in body:
        return None
    if kind == 1:
        return answers.as_json({"type": 1})
    return Answer(204) if kind == 0 else None


DISCORD = Provider(
    name="discord",
    title="Discord",
    source="https://docs.discord.com/developers/interactions/overview",
    marks=(Mark(header="x-signature-ed25519"),),
    reads=events,
    schemes=(table.DISCORD,),
    handshake=handshake,
    tests_signatures=True,
    retries=Retries(timeout_seconds=3, in_words="interactions are not sent again"),
)
