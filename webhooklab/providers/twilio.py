"""Twilio: forms about messages and calls. https://www.twilio.com/docs/usage/webhooks.

(Its Event Streams are batches of CloudEvents.)
"""

from __future__ import annotations

from collections.abc import Sequence

from webhooklab.providers import cloudevents
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import instant, mapping, text
from webhooklab.providers.marks import Mark
from webhooklab.records import Event, Request
from webhooklab.signatures import table

_KINDS = (
    ("transcription", ("TranscriptionSid",), ("TranscriptionStatus", "TranscriptionEvent")),
    (
        "message",
        ("MessageSid", "SmsSid", "SmsMessageSid"),
        ("MessageStatus", "SmsStatus", "EventType"),
    ),
    ("recording", ("RecordingSid",), ("RecordingStatus",)),
    ("conference", ("ConferenceSid",), ("StatusCallbackEvent",)),
    ("call", ("CallSid",), ("CallStatus",)),
    ("room", ("RoomSid",), ("StatusCallbackEvent",)),
    ("conversation", ("ConversationSid",), ("EventType",)),
    ("reservation", ("ReservationSid",), ("EventType",)),
    ("task", ("TaskSid",), ("EventType",)),
    ("worker", ("WorkerSid",), ("EventType",)),
    ("verification", ("VerificationSid", "factor_sid"), ("type",)),
)
"""What a webhook is about, where its sid is, and where what has become of it is."""


def events(request: Request) -> Sequence[Event]:
    """`message.delivered`, `call.completed`: what it is about and its status."""
    if isinstance(request.data, list):
        return cloudevents.batch(request.data)
    fields = mapping(request.data)
    event_id = request.headers.get("i-twilio-idempotency-token")
    for kind, sids, statuses in _KINDS:
        sid = next((text(fields[name]) for name in sids if name in fields), None)
        if sid is not None:
            status = next((text(fields[name]) for name in statuses if name in fields), None)
            return [
                Event(
                    event_type=_named(kind, status),
                    event_id=event_id,
                    entity_type=kind,
                    entity_id=sid,
                    occurred_at=instant(fields.get("Timestamp")),
                )
            ]
    return [Event(event_id=event_id)]


def _named(kind: str, status: str | None) -> str:
    if status is None:
        return kind
    return status if "." in status else f"{kind}.{status}"  # `task.created` says it all


TWILIO = Provider(
    name="twilio",
    title="Twilio",
    source="https://www.twilio.com/docs/usage/webhooks",
    marks=(Mark(header="x-twilio-signature"), Mark(agent="twilioproxy")),
    reads=events,
    schemes=(table.TWILIO, table.TWILIO_SHARED_KEY),
    retries=Retries(timeout_seconds=15, in_words="set by the URL's fragment: #rc=2&rp=all"),
)
