"""Mail services whose events stand inside something else: a form, a class, text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webhooklab.bodies import dump_json, parse_json
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping, unwrapped
from webhooklab.providers.marks import Mark
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_MANDRILL = Fields(
    event_type=("event", "type"),
    entity_type="=message",
    entity_id=("_id", "msg._id"),
    occurred_at="ts",
)


def mandrill_events(request: Request) -> Sequence[Event]:
    """The list in the form field `mandrill_events`."""
    data = unwrapped(request.data, "mandrill_events")
    if not isinstance(data, list):
        return [Event()]
    return [_MANDRILL.event(request.headers, item, part=dump_json(item)) for item in data]


MANDRILL = Provider(
    name="mandrill",
    title="Mandrill (Mailchimp Transactional)",
    source="https://mailchimp.com/developer/transactional/docs/webhooks/",
    marks=(
        Mark(header="x-mandrill-signature"),
        Mark(agent="mandrill-webhook"),
        Mark(keys=("[event",), has=("msg._id", "event")),
    ),
    reads=mandrill_events,
    schemes=(table.MANDRILL,),
)

SPARKPOST = Provider(
    name="sparkpost",
    title="SparkPost",
    source="https://developers.sparkpost.com/api/webhooks/",
    marks=(Mark(header="x-messagesystems-batch-id"), Mark(keys=("[msys",), has=("msys",))),
    reads=Fields(
        items="",
        event_type=lambda _, item: _sparkpost(item).get("type"),
        event_id=lambda _, item: _sparkpost(item).get("event_id"),
        entity_type="=message",
        entity_id=lambda _, item: _sparkpost(item).get("message_id"),
        occurred_at=lambda _, item: _sparkpost(item).get("timestamp"),
    ),
    unsigned="SparkPost does not sign its webhooks: put user:password@ into their URL",
)


def _sparkpost(item: Any) -> dict[str, Any]:
    """The event under the name of its class: `message_event`, `track_event`, ..."""
    classes = mapping(mapping(item).get("msys"))
    return next((mapping(event) for event in classes.values()), {})


_UNISENDER = Fields(
    event_type="status", entity_type="=message", entity_id="job_id", occurred_at="event_time"
)


def _unisender(request: Request) -> Sequence[Event]:
    users = mapping(request.data).get("events_by_user")
    if not isinstance(users, list):
        return [_UNISENDER.event(request.headers, request.data)]
    lists = (mapping(user).get("events") for user in users)
    found = [mapping(item) for listed in lists if isinstance(listed, list) for item in listed]
    return [
        _UNISENDER.event(request.headers, item.get("event_data"), part=dump_json(item))
        for item in found
    ]


UNISENDER_GO = Provider(
    name="unisender_go",
    title="Unisender Go",
    source="https://godocs.unisender.ru/web-api-ref#callback-format",
    marks=(
        Mark(keys=("auth", "events_by_user"), has=("events_by_user",)),
        Mark(
            keys=("event_name", "job_id"),
            has=("event_time",),
            says=(("event_name", ("transactional_email_status", "transactional_spam_block")),),
        ),
    ),
    reads=_unisender,
    unsigned="Unisender Go has an MD5 in its body, which is not checked here",
    signs_otherwise=True,
)

_SES = Fields(
    event_type=("eventType", "notificationType"),
    entity_type="=message",
    entity_id="mail.messageId",
    occurred_at=lambda _, body: _ses_time(body),
)


def _ses_time(body: Any) -> Any:
    name = mapping(body).get("eventType", mapping(body).get("notificationType"))
    own = mapping(mapping(body).get(str(name).lower()))
    return own.get("timestamp")


def _ses(request: Request) -> Sequence[Event]:
    """SES' notification is text within that of SNS, unless the topic delivers it raw."""
    outer = mapping(request.data)
    if "Message" not in outer:
        return [_SES.event(request.headers, outer)]
    try:
        inner = parse_json(str(outer["Message"]).encode("utf-8", "surrogatepass"))
    except ValueError:
        inner = {}
    found = _SES.event(request.headers, inner)
    outside = Fields(event_type="Type", event_id="MessageId", occurred_at="Timestamp")
    sns = outside.event(request.headers, outer)
    return [
        Event(
            event_type=found.event_type or sns.event_type,
            event_id=sns.event_id,
            entity_type="message" if found.entity_id else None,
            entity_id=found.entity_id,
            occurred_at=sns.occurred_at if found.occurred_at is None else found.occurred_at,
        )
    ]


AMAZON_SES = Provider(
    name="amazon_ses",
    title="Amazon SES (by SNS)",
    source="https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns.html",
    marks=(
        Mark(header="x-amz-sns-message-type"),
        Mark(keys=("Type",), has=("MessageId", "TopicArn")),
        Mark(keys=("eventType", "notificationType"), has=("mail.messageId",)),
    ),
    reads=_ses,
    schemes=(table.SNS, table.SNS_SHA1),
    retries=Retries(in_words="by the topic's delivery policy; by default 50 times in 6 hours"),
)
