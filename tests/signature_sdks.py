"""The providers' own libraries, behind one interface: what they sign, and whether they believe."""

import contextlib
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import parse_qsl

import pytest

from webhooklab import samples

URL = "https://lab.example.com/hooks?a=b"
Headers = dict[str, str]


class Sdk(NamedTuple):
    """signs: body and secret to headers; None: the library only verifies."""

    provider: str
    believes: Callable[[Headers, str, str], bool]
    signs: Callable[[str, str], Headers] | None = None
    is_form: bool = False


def _now() -> int:
    return int(time.time())


def _stripe() -> Sdk:
    stripe = pytest.importorskip("stripe")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        try:
            given = headers["stripe-signature"]
            return stripe.WebhookSignature.verify_header(body, given, secret, 300)
        except stripe.SignatureVerificationError:
            return False

    def signs(body: str, secret: str) -> Headers:
        return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, secret)}

    return Sdk("stripe", believes, signs)


def _standard(provider: str, module: str, stem: str) -> Sdk:
    library = pytest.importorskip(module)

    def believes(headers: Headers, body: str, secret: str) -> bool:
        try:
            library.Webhook(secret).verify(body, headers)
        except (library.WebhookVerificationError, json.JSONDecodeError, ValueError):
            return False
        return True

    def signs(body: str, secret: str) -> Headers:
        at = datetime.now(UTC)
        return {
            f"{stem}-id": "msg_1",
            f"{stem}-timestamp": str(int(at.timestamp())),
            f"{stem}-signature": library.Webhook(secret).sign("msg_1", at, body),
        }

    return Sdk(provider, believes, signs)


def _slack() -> Sdk:
    signature = pytest.importorskip("slack_sdk.signature")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        return signature.SignatureVerifier(secret).is_valid_request(body, headers)

    def signs(body: str, secret: str) -> Headers:
        at = str(_now())
        made = signature.SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
        return {"x-slack-request-timestamp": at, "x-slack-signature": made}

    return Sdk("slack", believes, signs)


def _discord() -> Sdk:
    library = pytest.importorskip("discord_interactions")
    nacl = pytest.importorskip("nacl.signing")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        given, at = headers["x-signature-ed25519"], headers["x-signature-timestamp"]
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what is wrong
            return library.verify_key(body.encode(), given, at, secret)

    def signs(body: str, secret: str) -> Headers:
        key = nacl.SigningKey(bytes.fromhex(secret)[:32])
        at = str(_now())
        made = key.sign(at.encode() + body.encode()).signature.hex()
        return {"x-signature-ed25519": made, "x-signature-timestamp": at}

    return Sdk("discord", believes, signs)


def _twilio() -> Sdk:
    library = pytest.importorskip("twilio.request_validator")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        given = headers["x-twilio-signature"]
        return library.RequestValidator(secret).validate(URL, _fields(body), given)

    def signs(body: str, secret: str) -> Headers:
        made = library.RequestValidator(secret).compute_signature(URL, _fields(body))
        return {"x-twilio-signature": made}

    return Sdk("twilio", believes, signs, is_form=True)


def _fields(body: str) -> dict[str, str]:
    return dict(parse_qsl(body, keep_blank_values=True))


def _square() -> Sdk:
    helper = pytest.importorskip("square.utils.webhooks_helper")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        return helper.verify_signature(
            request_body=body,
            signature_header=headers["x-square-hmacsha256-signature"],
            signature_key=secret,
            notification_url=URL,
        )

    return Sdk("square", believes)


def _paddle() -> Sdk:
    library = pytest.importorskip("paddle_billing.Notifications")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        sent = SimpleNamespace(headers={"Paddle-Signature": headers["paddle-signature"]})
        sent.body = body.encode()
        return library.Verifier(5).verify(sent, library.Secret(secret))

    def signs(body: str, secret: str) -> Headers:
        at = _now()
        mac = library.PaddleSignature.calculate_hmac(secret, f"{at}:{body}".encode())
        return {"paddle-signature": f"ts={at};h1={mac.hexdigest()}"}

    return Sdk("paddle", believes, signs)


def _sendgrid() -> Sdk:
    library = pytest.importorskip("sendgrid.helpers.eventwebhook")

    def believes(headers: Headers, body: str, secret: str) -> bool:
        stem = "x-twilio-email-event-webhook"
        given, at = headers[f"{stem}-signature"], headers[f"{stem}-timestamp"]
        try:
            return library.EventWebhook(secret).verify_signature(body, given, at)
        except ValueError:
            return False

    return Sdk("sendgrid", believes)


SDKS: dict[str, Callable[[], Sdk]] = {
    "stripe": _stripe,
    "standardwebhooks": lambda: _standard("standardwebhooks", "standardwebhooks", "webhook"),
    "svix": lambda: _standard("svix", "svix.webhooks", "svix"),
    "slack": _slack,
    "discord": _discord,
    "twilio": _twilio,
    "square": _square,
    "paddle": _paddle,
    "sendgrid": _sendgrid,
}
VERIFY_ONLY = ("square", "sendgrid")
"""Libraries that do not sign."""


def secrets(provider: str) -> tuple[str, str]:
    """What signs and what verifies, as text."""
    pair = samples.secrets_of(provider)
    signing, verifying = (
        each.decode() if isinstance(each, bytes) else each
        for each in (pair.signing, pair.verifying)
    )
    return signing, verifying
