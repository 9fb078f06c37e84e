"""Slack: events, slash commands and interactions. https://docs.slack.dev/apis/events-api."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text, unwrapped
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import dig
from webhooklab.records import Answer, Event, Request
from webhooklab.signatures import table

_ENTITIES = (
    ("message", ("item", "ts")),
    ("message", ("item", "message", "ts")),
    ("message", ("message", "ts")),
    ("message", ("previous_message", "ts")),
    ("message", ("ts",)),
    ("message", ("message_ts",)),
    ("file", ("file_id",)),
    ("file", ("file", "id")),
    ("channel", ("channel", "id")),
    ("channel", ("channel",)),
    ("channel", ("channel_id",)),
    ("user", ("user", "id")),
    ("user", ("user",)),
    ("team", ("team_ids", "0")),
    ("usergroup", ("subteam", "id")),
    ("team", ("team", "id")),
)
"""What an event is about: the first of these that it has. Messages are called by their `ts`."""


def _about(event: dict[str, Any], names: tuple[str, ...] = ()) -> tuple[str | None, str | None]:
    for kind, keys in _ENTITIES:
        identity = text(dig(event, keys))
        if identity and (not names or kind in names):
            return kind, identity
    return None, None


def events(request: Request) -> Sequence[Event]:
    """An event's own type: `message`, `app_mention`; `slash_command`, `block_actions`, ..."""
    body = mapping(request.data)
    if isinstance(body.get("payload"), str):  # a form with JSON in it
        return [_interaction(mapping(unwrapped(body, "payload")))]
    if body.get("command") is not None:
        return [
            Event(
                event_type="slash_command",
                event_id=text(body.get("trigger_id")),
                entity_type="channel",
                entity_id=text(body.get("channel_id")),
            )
        ]
    return [_event(body) if "event" in body else _interaction(body)]


def _event(body: dict[str, Any]) -> Event:
    event = mapping(body.get("event"))
    entity_type, entity_id = _about(event)
    if entity_id is None:  # about the app itself: app_uninstalled, tokens_revoked
        entity_type, entity_id = "app", text(body.get("api_app_id"))
    at = instant(event.get("event_ts"))
    return Event(
        event_type=text(event.get("type")),
        event_id=text(body.get("event_id")),
        entity_type=entity_type if entity_id else None,
        entity_id=entity_id,
        occurred_at=instant(body.get("event_time")) if at is None else at,
    )


def _interaction(body: dict[str, Any]) -> Event:
    entity_type, entity_id = _about(body)
    view = text(dig(body, ("view", "id")))
    return Event(
        event_type=text(body.get("type")),
        event_id=text(body.get("trigger_id")),
        entity_type="view" if view else entity_type,
        entity_id=view or entity_id,
        occurred_at=instant(body.get("action_ts")),
    )


def handshake(request: Request, _secret: str | None) -> Answer | None:
    """`url_verification`: the challenge. https://docs.slack.dev/reference/events/url_verification."""
    body = mapping(request.data)
    challenge = body.get("challenge")
    if body.get("type") != "url_verification" or not isinstance(challenge, str):
        return None
    return answers.as_json({"challenge": challenge})


SLACK = Provider(
    name="slack",
    title="Slack",
    source="https://docs.slack.dev/apis/events-api",
    marks=(
        Mark(header="x-slack-signature"),
        Mark(header="x-slack-request-timestamp"),
        Mark(agent="slackbot", has=("type",)),
        Mark(
            keys=("token", "type", "challenge"),
            has=("challenge",),
            says=(("type", ("url_verification",)),),
        ),
    ),
    reads=events,
    schemes=(table.SLACK,),
    handshake=handshake,
    retries=Retries(
        waits_seconds=(0, 60, 300), timeout_seconds=3, number="header:x-slack-retry-num"
    ),
)
