"""Zoom: https://developers.zoom.us/docs/api/webhooks/."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from webhooklab.headers import Headers
from webhooklab.providers import answers
from webhooklab.providers.base import Provider, Retries
from webhooklab.providers.fields import Fields, mapping
from webhooklab.providers.marks import Mark
from webhooklab.records import Answer, Request
from webhooklab.signatures import table

VALIDATION = "endpoint.url_validation"


def _kind(_headers: Headers, body: Any) -> str | None:
    name = mapping(body).get("event")
    if not isinstance(name, str) or name == VALIDATION:
        return None
    return name.partition(".")[0] if "." in name else None


def handshake(request: Request, secret: str | None) -> Answer | None:
    """The plain token with its HMAC under the secret token; it comes again every 72 hours.

    Not one like `v0:time:body`, of which the HMAC is the signature of a body: anybody can ask.
    """
    body = mapping(request.data)
    plain = mapping(body.get("payload")).get("plainToken")
    if body.get("event") != VALIDATION or not isinstance(plain, str) or not secret:
        return None
    if ":" in plain:
        return None
    token = plain.encode("utf-8", "surrogatepass")
    encrypted = hmac.new(secret.encode(), token, hashlib.sha256).hexdigest()
    return answers.as_json({"plainToken": plain, "encryptedToken": encrypted})


ZOOM = Provider(
    name="zoom",
    title="Zoom",
    source="https://developers.zoom.us/docs/api/webhooks/",
    marks=(
        Mark(header="x-zm-signature"),
        Mark(header="x-zm-request-timestamp"),
        Mark(
            keys=("event", "event_ts", "payload"),
            has=("payload.plainToken",),
            says=(("event", (VALIDATION,)),),
        ),
    ),
    reads=Fields(
        event_type="event",
        entity_type=_kind,
        entity_id=("payload.object.id", "payload.object.uuid", "payload.object.user_id"),
        occurred_at="event_ts",
    ),
    schemes=(table.ZOOM,),
    handshake=handshake,
    retries=Retries(
        waits_seconds=(300, 1_800, 5_400),
        in_words="three times, on a 5xx or none; validates the endpoint anew every 72 hours",
        timeout_seconds=3,
    ),
)
