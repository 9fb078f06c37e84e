"""Mail services: most send several events at once, all are about messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from webhooklab.bodies import dump_json, parse_json
from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_NO_SIGNATURE = "{} does not sign its webhooks: put user:password@ into their URL"


_OF_MESSAGE = Fields(entity_type="=message")


SENDGRID = Provider(
    name="sendgrid",
    title="SendGrid",
    source="https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event",
    marks=(
        Mark(header="x-twilio-email-event-webhook-signature"),
        Mark(agent="sendgrid"),
        Mark(
            keys=(
                "[email",
                "[event",
                "[sg_event_id",
                "[ip",
                "[response",
                "[timestamp",
                "[sg_message_id",
            ),
            has=("sg_event_id", "sg_message_id"),
        ),
    ),
    reads=Fields(
        items="",
        event_type="event",
        event_id="sg_event_id",
        entity_type="=message",
        entity_id="sg_message_id",
        occurred_at="timestamp",
    ),
    schemes=(table.SENDGRID,),
    retries=Retries(in_words="for up to 24 hours"),
)

MAILGUN = Provider(
    name="mailgun",
    title="Mailgun",
    source="https://documentation.mailgun.com/docs/mailgun/user-manual/events/",
    marks=(
        Mark(keys=("signature",), has=("signature.token", "event-data")),
        Mark(keys=("event-data",), has=("signature.token",)),
        Mark(agent="mailgun"),
    ),
    reads=replace(
        _OF_MESSAGE,
        event_type=("event-data.event", "event"),
        event_id=("event-data.id", "token"),
        entity_id=("event-data.message.headers.message-id", "Message-Id", "message-id"),
        occurred_at=("event-data.timestamp", "timestamp"),
    ),
    schemes=(table.MAILGUN, table.MAILGUN_FORM),
    retries=Retries(
        waits_seconds=(300, 600, 900, 1_800, 3_600, 7_200, 14_400),
        in_words="a 406 stops them",
    ),
)


def _postmark_type(_headers: Headers, body: Any) -> Any:
    is_inbound = mapping(body).get("MessageStream") == "inbound"
    return mapping(body).get("RecordType", "Inbound" if is_inbound else None)


POSTMARK = Provider(
    name="postmark",
    title="Postmark",
    source="https://postmarkapp.com/developer/webhooks/webhooks-overview",
    marks=(
        Mark(agent="postmark"),
        Mark(keys=("RecordType", "MessageID", "ID", "Metadata"), has=("RecordType", "MessageID")),
        Mark(keys=("FromName", "From"), has=("MessageStream", "MessageID")),
    ),
    reads=replace(
        _OF_MESSAGE,
        event_type=_postmark_type,
        event_id="ID",
        entity_id="MessageID",
        occurred_at=("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"),
    ),
    schemes=(table.BASIC,),
    retries=Retries(
        waits_seconds=(60, 300, 600, 600, 600, 900, 1_800, 3_600, 7_200, 21_600),
        in_words="bounces; other events are tried three times more",
    ),
)

RESEND = Provider(
    name="resend",
    title="Resend",
    source="https://resend.com/docs/dashboard/webhooks/introduction",
    marks=(
        Mark(header="svix-id", has=("data.email_id", "created_at")),
        Mark(keys=("type", "created_at"), has=("data.email_id", "type", "created_at")),
    ),
    reads=Fields(
        event_type="type",
        event_id="header:svix-id",
        entity_type="=email",
        entity_id="data.email_id",
        occurred_at="created_at",
    ),
    schemes=(table.SVIX,),
    retries=Retries(waits_seconds=(5, 300, 1_800, 7_200, 18_000, 36_000)),
)

BREVO = Provider(
    name="brevo",
    title="Brevo",
    source="https://developers.brevo.com/docs/transactional-webhooks",
    marks=(
        Mark(keys=("event", "id"), has=("ts_epoch", "message-id", "event")),
        Mark(keys=("event", "id"), has=("ts_event", "message-id", "event")),
    ),
    reads=replace(
        _OF_MESSAGE,
        event_type="event",
        entity_id="message-id",
        occurred_at=("ts_epoch", "ts_event"),
    ),
    unsigned=_NO_SIGNATURE.format("Brevo"),
)

MAILERSEND = Provider(
    name="mailersend",
    title="MailerSend",
    source="https://developers.mailersend.com/api/v1/webhooks.html",
    marks=(
        Mark(header="signature", has=("data.email.message.id", "type")),
        Mark(keys=("type",), has=("data.email.message.id", "data.morph")),
        Mark(keys=("type",), has=("data.email.message.id", "webhook_id")),
    ),
    reads=replace(
        _OF_MESSAGE,
        event_type="type",
        event_id="data.id",
        entity_id="data.email.message.id",
        occurred_at=("data.created_at", "created_at"),
    ),
    schemes=(table.MAILERSEND,),
)

MAILJET = Provider(
    name="mailjet",
    title="Mailjet",
    source="https://dev.mailjet.com/email/guides/webhooks/",
    marks=(Mark(keys=("[event", "event"), has=("mj_campaign_id", "MessageID", "event")),),
    reads=Fields(
        items="",
        event_type="event",
        entity_type="=message",
        entity_id="MessageID",
        occurred_at="time",
    ),
    schemes=(table.BASIC,),
)

MAILTRAP = Provider(
    name="mailtrap",
    title="Mailtrap",
    source="https://docs.mailtrap.io/email-api-smtp/advanced/webhooks",
    marks=(
        Mark(header="mailtrap-signature"),
        Mark(keys=("events",), has=("events.0.sending_stream", "events.0.message_id")),
    ),
    reads=Fields(
        items="events",
        event_type="event",
        event_id="event_id",
        entity_type="=message",
        entity_id="message_id",
        occurred_at="timestamp",
    ),
    schemes=(table.MAILTRAP,),
)

_MANDRILL = Fields(
    event_type=("event", "type"),
    entity_type="=message",
    entity_id=("_id", "msg._id"),
    occurred_at="ts",
)


def mandrill_events(request: Request) -> Sequence[Event]:
    """The list in the form field `mandrill_events`."""
    data = request.data
    if isinstance(data, dict) and isinstance(data.get("mandrill_events"), str):
        try:
            data = parse_json(data["mandrill_events"].encode("utf-8", "surrogatepass"))
        except ValueError:
            return [Event()]
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

POSTAL = Provider(
    name="postal",
    title="Postal",
    source="https://docs.postalserver.io/developer/webhooks",
    marks=(
        Mark(header="x-postal-signature"),
        Mark(keys=("event",), has=("payload.message.token", "timestamp")),
    ),
    reads=replace(
        _OF_MESSAGE,
        event_type="event",
        event_id="uuid",
        entity_id=("payload.message.id", "payload.original_message.id"),
        occurred_at="timestamp",
    ),
    unsigned="Postal signs by RSA with its server's own key, which is not checked here",
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
    unsigned=_NO_SIGNATURE.format("SparkPost"),
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
        Mark(keys=("event_name", "job_id"), has=("status", "job_id", "event_name")),
    ),
    reads=_unisender,
    unsigned="Unisender Go has an MD5 in its body, which is not checked here",
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
    unsigned="Amazon SNS signs by a certificate of its own, which is not checked here",
    retries=Retries(in_words="by the topic's delivery policy; by default 50 times in 6 hours"),
)
