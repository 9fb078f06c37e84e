"""Mail services: all their events are about messages, and most send several at once."""

from __future__ import annotations

from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.signatures import table

_NO_SIGNATURE = "{} does not sign its webhooks: put user:password@ into their URL"

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
    reads=Fields(
        event_type=("event-data.event", "event"),
        event_id=("event-data.id", "token"),
        entity_type="=message",
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
    reads=Fields(
        event_type=_postmark_type,
        event_id="ID",
        entity_type="=message",
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
        Mark(keys=("event", "id"), has=("s_epoch", "message-id", "event")),
    ),
    reads=Fields(
        event_type="event",
        entity_type="=message",
        entity_id="message-id",
        occurred_at=("ts_epoch", "ts_event", "s_epoch"),
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
    reads=Fields(
        event_type="type",
        event_id="data.id",
        entity_type="=message",
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

POSTAL = Provider(
    name="postal",
    title="Postal",
    source="https://docs.postalserver.io/developer/webhooks",
    marks=(
        Mark(header="x-postal-signature"),
        Mark(header="x-postal-signature-256"),
        Mark(keys=("event",), has=("payload.message.token", "timestamp")),
    ),
    reads=Fields(
        event_type="event",
        event_id="uuid",
        entity_type="=message",
        entity_id=("payload.message.id", "payload.original_message.id"),
        occurred_at="timestamp",
    ),
    schemes=(table.POSTAL, table.POSTAL_SHA1),
)
