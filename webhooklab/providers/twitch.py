"""Twitch EventSub: https://dev.twitch.tv/docs/eventsub/handling-webhook-events."""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Answer, Event, Request
from webhooklab.signatures import table

_TIMES = ("updated_at", "ended_at", "redeemed_at", "followed_at", "started_at", "created_at")

_ENTITIES = (
    ("message", "message_id"),
    ("channel", "broadcaster_user_id"),
    ("channel", "to_broadcaster_user_id"),
    ("user", "user_id"),
)
"""What an event is about that has no `id` of its own: the first of these that it has."""


def events(request: Request) -> Sequence[Event]:
    """`channel.follow`, `stream.online`: the subscription's type."""
    body, headers = mapping(request.data), request.headers
    event, subscription = mapping(body.get("event")), mapping(body.get("subscription"))
    name = headers.get("twitch-eventsub-subscription-type") or text(subscription.get("type"))
    words = (name or "").split(".")
    kind = words[-2] if len(words) > 1 else None
    told = [(kind, event.get("id")), *((each, event.get(name)) for each, name in _ENTITIES)]
    told.append(("subscription", subscription.get("id")))
    named = ((each, text(identity)) for each, identity in told)
    entity_type, entity_id = next((each for each in named if each[1]), (None, None))
    said = next((event[at] for at in _TIMES if event.get(at)), None)
    found = Event(
        event_type=name,
        event_id=headers.get("twitch-eventsub-message-id"),
        entity_type=entity_type,
        entity_id=entity_id,
        occurred_at=instant(said),
    )
    return [found]


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """`webhook_callback_verification`: the challenge, raw."""
    challenge = mapping(request.data).get("challenge")
    kind = request.headers.get("twitch-eventsub-message-type")
    if kind != "webhook_callback_verification" or not isinstance(challenge, str):
        return None
    return answers.plain(challenge)


TWITCH = Provider(
    name="twitch",
    title="Twitch",
    source="https://dev.twitch.tv/docs/eventsub/handling-webhook-events",
    marks=(Mark(header="twitch-eventsub-message-id"),),
    reads=events,
    schemes=(table.TWITCH,),
    handshake=handshake,
    retries=Retries(
        in_words="some times, then the subscription is revoked",
        number="header:twitch-eventsub-message-retry",
    ),
)
