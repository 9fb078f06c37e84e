"""Twilio: forms about messages and calls. https://www.twilio.com/docs/usage/webhooks.

(Its Event Streams are CloudEvents.)
"""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_KINDS = (
    ("message", ("MessageSid", "SmsSid", "SmsMessageSid"), ("MessageStatus", "SmsStatus")),
    ("recording", ("RecordingSid",), ("RecordingStatus",)),
    ("conference", ("ConferenceSid",), ("StatusCallbackEvent",)),
    ("call", ("CallSid",), ("CallStatus",)),
    ("conversation", ("ConversationSid",), ("EventType",)),
    ("verification", ("VerificationSid", "factor_sid"), ("type",)),
)
"""What a webhook is about, where its sid is, and where what has become of it is."""


def events(request: Request) -> Sequence[Event]:
    """`message.delivered`, `call.completed`: what it is about and its status."""
    fields = mapping(request.data)
    event_id = request.headers.get("i-twilio-idempotency-token")
    for kind, sids, statuses in _KINDS:
        sid = next((text(fields[name]) for name in sids if name in fields), None)
        if sid is not None:
            status = next((text(fields[name]) for name in statuses if name in fields), None)
            return [
                Event(
                    event_type=f"{kind}.{status}" if status else kind,
                    event_id=event_id,
                    entity_type=kind,
                    entity_id=sid,
                    occurred_at=instant(fields.get("Timestamp")),
                )
            ]
    return [Event(event_id=event_id)]


TWILIO = Provider(
    name="twilio",
    title="Twilio",
    source="https://www.twilio.com/docs/usage/webhooks",
    marks=(Mark(header="x-twilio-signature"), Mark(agent="twilioproxy")),
    reads=events,
    schemes=(table.TWILIO, table.TWILIO_SHARED_KEY),
    retries=Retries(timeout_seconds=15, in_words="set by the URL's fragment: #rc=2&rp=all"),
)
