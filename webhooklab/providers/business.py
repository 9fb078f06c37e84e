"""HubSpot, DocuSign, Intercom, Typeform, Dropbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from webhooklab.headers import Headers
from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Answer, Request
from webhooklab.signatures import table

_HUBSPOT_TYPES = {
    "0-1": "contact",
    "0-2": "company",
    "0-3": "deal",
    "0-5": "ticket",
    "0-7": "product",
    "0-8": "line_item",
}
"""developers.hubspot.com, "Object type IDs"; an account's own objects are called by theirs."""


def _hubspot_kind(_headers: Headers, item: Any) -> str | None:
    """`contact` of `contact.propertyChange`; of `object.creation` the object's type."""
    name = mapping(item).get("subscriptionType")
    kind = name.partition(".")[0] if isinstance(name, str) else None
    object_type = text(mapping(item).get("objectTypeId"))
    if kind != "object" or object_type is None:
        return kind
    return _HUBSPOT_TYPES.get(object_type, object_type)


HUBSPOT = Provider(
    name="hubspot",
    title="HubSpot",
    source="https://developers.hubspot.com/docs/api/webhooks",
    marks=(
        Mark(header="x-hubspot-signature-v3"),
        Mark(header="x-hubspot-signature"),
        Mark(agent="hubspot", has=("subscriptionType",)),
        Mark(
            keys=("[eventId", "[appId", "[objectId"),
            has=("subscriptionType", "subscriptionId", "portalId"),
        ),
    ),
    reads=Fields(
        items="",
        event_type="subscriptionType",
        event_id="eventId",
        entity_type=_hubspot_kind,
        # Of a merge: what is left of it; of an association: where it starts.
        entity_id=("objectId", "primaryObjectId", "fromObjectId"),
        occurred_at="occurredAt",
        # Ids of events are unique within a subscription of a portal only.
        scope=lambda _, item: (
            f"{mapping(item).get('portalId')}/{mapping(item).get('subscriptionId')}"
        ),
    ),
    schemes=(table.HUBSPOT, table.HUBSPOT_V2, table.HUBSPOT_V1),
    retries=Retries(
        in_words="up to 10 times over 24 hours", timeout_seconds=5, number="0.attemptNumber"
    ),
)


def _docusign_kind(_headers: Headers, body: Any) -> str | None:
    """An envelope, also where what happened was a recipient's: its id is unique there alone."""
    fields = mapping(body)
    if "envelopeId" in mapping(fields.get("data")) or "envelopeId" in fields:
        return "envelope"
    return (text(fields.get("event")) or "").partition("-")[0] or None


DOCUSIGN = Provider(
    name="docusign",
    title="DocuSign",
    source="https://developers.docusign.com/platform/webhooks/connect/",
    marks=(
        Mark(header="x-docusign-signature-1"),
        Mark(keys=("event",), has=("data.envelopeId",)),
    ),
    reads=Fields(
        event_type="event",
        entity_type=_docusign_kind,
        entity_id=("data.envelopeId", "data.templateId", "envelopeId"),
        occurred_at=("generatedDateTime", "statusChangedDateTime"),
        version=("data.envelopeSummary.statusChangedDateTime", "statusChangedDateTime"),
    ),
    schemes=(table.DOCUSIGN,),
    retries=Retries(in_words="for 15 days, less and less often", number="retryCount"),
)

INTERCOM = Provider(
    name="intercom",
    title="Intercom",
    source="https://developers.intercom.com/docs/webhooks",
    marks=(
        Mark(header="x-hub-signature", says=(("type", ("notification_event",)),)),
        Mark(keys=("type",), has=("topic", "app_id"), says=(("type", ("notification_event",)),)),
    ),
    reads=Fields(
        event_type="topic",
        event_id="id",
        entity_type="data.item.type",
        entity_id="data.item.id",
        occurred_at="created_at",
        version="data.item.updated_at",
    ),
    schemes=(table.HUB_SHA1,),
    retries=Retries(
        in_words="once, after a minute", timeout_seconds=5, number="delivery_attempts", first=1
    ),
)

TYPEFORM = Provider(
    name="typeform",
    title="Typeform",
    source="https://www.typeform.com/developers/webhooks/",
    marks=(
        Mark(header="typeform-signature"),
        Mark(agent="typeform"),
        Mark(keys=("event_id",), has=("event_type", "form_response.token")),
    ),
    reads=Fields(
        event_type="event_type",
        event_id="event_id",
        entity_type="=response",
        entity_id="form_response.token",
        occurred_at="form_response.submitted_at",
    ),
    schemes=(table.TYPEFORM,),
    retries=Retries(in_words="for 10 hours, less and less often", timeout_seconds=30),
)


def dropbox_handshake(request: Request, _secret: str | None) -> Answer | None:
    """GET with `challenge`: the challenge, as plain text that no browser reads as anything else."""
    if request.method != "GET" or not request.query_string:
        return None
    challenge = parse_qs(request.query_string).get("challenge")
    if not challenge:
        return None
    return answers.plain(challenge[0])


DROPBOX = Provider(
    name="dropbox",
    title="Dropbox",
    source="https://www.dropbox.com/developers/reference/webhooks",
    marks=(
        Mark(header="x-dropbox-signature"),
        Mark(agent="dropboxwebhooks"),
        Mark(query="challenge"),
    ),
    # It names accounts in which something changed, and says neither what nor when.
    reads=Fields(items="list_folder.accounts", entity_type="=account", entity_id=""),
    schemes=(table.DROPBOX,),
    handshake=dropbox_handshake,
    signs_handshakes=False,
    retries=Retries(in_words="less and less often", timeout_seconds=10),
)
