"""Meta: Facebook, Instagram, Messenger and WhatsApp.

https://developers.facebook.com/docs/graph-api/webhooks, .../docs/whatsapp/cloud-api/webhooks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs

from webhooklab.bodies import dump_json
from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Answer, Event, Request
from webhooklab.signatures import table

_MESSAGING = ("message", "postback", "delivery", "read", "reaction", "optin", "referral")
_ENTITIES = (
    ("comment", "comment_id"),
    ("post", "post_id"),
    ("media", "media_id"),
    ("lead", "leadgen_id"),
    ("message_template", "message_template_id"),
)
"""What a change is about, and where its id is; if nowhere, what its field is called after."""


def events(request: Request) -> Sequence[Event]:
    """One for each message, status and change: a delivery may carry those of many users."""
    body = mapping(request.data)
    entries, kind = body.get("entry"), text(body.get("object"))
    if not isinstance(entries, list):
        return [Event()]
    return [event for entry in entries for event in _of_entry(kind, mapping(entry))]


def _of_entry(kind: str | None, entry: dict[str, Any]) -> Iterator[Event]:
    for change in _list(entry.get("changes")):
        yield from _of_change(kind, entry, mapping(change))
    for field in _list(entry.get("changed_fields")):  # asked for without their values
        yield _change(kind, entry, {"field": field})
    for item in _list(entry.get("messaging")):
        yield _messaging(mapping(item))


def _of_change(kind: str | None, entry: dict[str, Any], change: dict[str, Any]) -> Iterator[Event]:
    value = mapping(change.get("value"))
    told = [("messages", each) for each in _list(value.get("messages"))]
    told += [("statuses", each) for each in _list(value.get("statuses"))]
    for name, item in told:
        yield _whatsapp(name, mapping(item))
    if not told:
        yield _change(kind, entry, change)


def _change(kind: str | None, entry: dict[str, Any], change: dict[str, Any]) -> Event:
    """What its value is about; if that does not say, the page (user, account) it happened to."""
    field, value = text(change.get("field")), mapping(change.get("value"))
    told: list[tuple[str | None, Any]] = [(each, value.get(name)) for each, name in _ENTITIES]
    told.append(((field or "").removesuffix("s") or None, value.get("id")))
    told.append((kind, entry.get("id")))
    said = ((each, text(identity)) for each, identity in told)
    entity_type, entity_id = next((pair for pair in said if pair[1]), (None, None))
    return Event(
        event_type=field,
        entity_type=entity_type,
        entity_id=entity_id,
        occurred_at=instant(value.get("created_time") or entry.get("time")),
        body=dump_json(change),
    )


def _whatsapp(kind: str, item: dict[str, Any]) -> Event:
    """A message that came (its id is the event's), or what has become of one that was sent."""
    identity, status = text(item.get("id")), text(item.get("status"))
    return Event(
        event_type=".".join(filter(None, (kind, status or text(item.get("type"))))),
        event_id=identity if kind == "messages" else None,
        entity_type="message",
        entity_id=identity,
        occurred_at=instant(item.get("timestamp")),
        body=dump_json(item),
    )


def _messaging(item: dict[str, Any]) -> Event:
    kind = next((name for name in _MESSAGING if name in item), None)
    identity = text(dig(item, (kind or "", "mid")))
    return Event(
        event_type=kind,
        event_id=identity if kind == "message" else None,
        entity_type="message" if identity else None,
        entity_id=identity,
        occurred_at=instant(item.get("timestamp")),
        body=dump_json(item),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """GET with `hub.challenge`: the challenge. Its verify token is not the app's secret."""
    if request.method != "GET" or not request.query_string:
        return None
    query = parse_qs(request.query_string)
    challenge = query.get("hub.challenge")
    if query.get("hub.mode") != ["subscribe"] or not challenge:
        return None
    return answers.plain(challenge[0])


META = Provider(
    name="meta",
    title="Meta (Facebook, Instagram, WhatsApp)",
    source="https://developers.facebook.com/docs/graph-api/webhooks",
    marks=(
        Mark(header="x-hub-signature-256", has=("object", "entry")),
        Mark(agent="facebookexternalua", has=("object", "entry")),
        Mark(query="hub.verify_token"),
        Mark(keys=("object",), has=("entry.0.changes",)),
        Mark(keys=("object",), has=("entry.0.messaging",)),
    ),
    reads=events,
    schemes=(table.HUB_SHA256, table.HUB_SHA1),
    handshake=handshake,
    signs_handshakes=False,
    retries=Retries(in_words="for up to 36 hours (WhatsApp: 7 days), less and less often"),
)
