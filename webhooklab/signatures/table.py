"""The schemes: one row for each way in which a provider signs.

Beside each row, where it was read: the provider's own SDK or documentation.
"""

from __future__ import annotations

from dataclasses import replace

from webhooklab.signatures import addresses, paddle, paypal, sns
from webhooklab.signatures.scheme import Algorithm, Encoding, KeyForm, Scheme

_NOT_THE_BODY = "the body itself is not signed"


def over_body(
    header: str,
    *,
    prefix: str = "",
    encoding: Encoding = "hex",
    algorithm: Algorithm = "hmac-sha256",
) -> Scheme:
    """The commonest scheme: an HMAC of the raw body, alone in a header."""
    place = f"header:{header}"
    return Scheme(signature=place, algorithm=algorithm, encoding=encoding, prefix=prefix)


def _standard(stem: str) -> Scheme:
    # https://github.com/standard-webhooks/standard-webhooks, specification and libraries
    return Scheme(
        signature=f"header:{stem}-signature",
        algorithm="hmac-sha256",
        encoding="base64",
        prefix="v1,",
        separator=" ",
        signed=f"{{header:{stem}-id}}.{{header:{stem}-timestamp}}.{{body}}",
        timestamp=f"{{header:{stem}-timestamp}}",
        tolerance_seconds=300,
        key="standard",
    )


def token(place: str, *, prefix: str = "", key: KeyForm = "text") -> Scheme:
    """The secret itself, sent along."""
    return Scheme(
        signature=place,
        algorithm="token",
        encoding="text",
        prefix=prefix,
        key=key,
        covers=_NOT_THE_BODY,
    )


STANDARD = _standard("webhook")
STANDARD_ED25519 = replace(STANDARD, algorithm="ed25519", prefix="v1a,", key="standard-ed25519")
SVIX = _standard("svix")  # https://github.com/svix/svix-webhooks, its libraries
SVIX_ED25519 = replace(SVIX, algorithm="ed25519", prefix="v1a,", key="standard-ed25519")

HUB_SHA256 = over_body("x-hub-signature-256", prefix="sha256=")  # docs.github.com, octokit
HUB_SHA1 = over_body("x-hub-signature", prefix="sha1=", algorithm="hmac-sha1")  # likewise
BITBUCKET = over_body("x-hub-signature", prefix="sha256=")  # support.atlassian.com
GITLAB_TOKEN = token("header:x-gitlab-token", key="plain-token")  # docs.gitlab.com
GITLAB_SIGNED = replace(STANDARD, key="whsec")  # gitlab.com, merge request 230944
GITEA = over_body("x-gitea-signature")  # docs.gitea.com, its source
FORGEJO = over_body("x-forgejo-signature")
GOGS = over_body("x-gogs-signature")  # gogs.io, its source
SHOPIFY = over_body("x-shopify-hmac-sha256", encoding="base64")  # shopify.dev
SHOPIFY_EVENTS = over_body("shopify-hmac-sha256", encoding="base64")  # shopify.dev, "Events"
TYPEFORM = over_body("typeform-signature", prefix="sha256=", encoding="base64")
HOOKDECK = replace(  # hookdeck.com/docs, @hookdeck/sdk
    over_body("x-hookdeck-signature", encoding="base64"), second="x-hookdeck-signature-2"
)
DOCUSIGN = over_body("x-docusign-signature-*", encoding="base64")  # developers.docusign.com
DROPBOX = over_body("x-dropbox-signature")  # www.dropbox.com/developers/reference/webhooks
MAILERSEND = over_body("signature")  # developers.mailersend.com, django-anymail
MAILTRAP = over_body("mailtrap-signature")  # docs.mailtrap.io
SENTRY = over_body("sentry-hook-signature")  # docs.sentry.io
WOOCOMMERCE = over_body("x-wc-webhook-signature", encoding="base64")  # developer.woocommerce.com
LINE = over_body("x-line-signature", encoding="base64")  # developers.line.biz
PAGERDUTY = replace(  # developer.pagerduty.com; several while a secret is rotated
    over_body("x-pagerduty-signature", prefix="v1="), separator=","
)

STRIPE = Scheme(  # stripe-python, _webhook.py
    signature="header:stripe-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    prefix="v1=",
    separator=",",
    signed="{field:t}.{body}",
    timestamp="{field:t}",
    tolerance_seconds=300,
    ahead=False,
)
CALENDLY = replace(  # developer.calendly.com, which suggests three minutes
    STRIPE, signature="header:calendly-webhook-signature", tolerance_seconds=180
)
ZENDESK = Scheme(  # developer.zendesk.com
    signature="header:x-zendesk-webhook-signature",
    algorithm="hmac-sha256",
    encoding="base64",
    signed="{header:x-zendesk-webhook-signature-timestamp}{body}",
    timestamp="{header:x-zendesk-webhook-signature-timestamp}",
    unit="rfc3339",
)
PADDLE = Scheme(  # paddle-python-sdk, Notifications/PaddleSignature.py and Verifier.py
    signature="header:paddle-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    prefix="h1=",
    separator=";",
    signed="{field:ts}:{body}",
    timestamp="{field:ts}",
    tolerance_seconds=5,
)
PADDLE_CLASSIC = Scheme(  # developer.paddle.com/webhook-reference/verifying-webhooks
    signature=f"json:{paddle.SIGNATURE}",
    algorithm="rsa-sha1",
    encoding="base64",
    signed=paddle.message,
    key="rsa-with-sha1",
)
SLACK = Scheme(  # slack_sdk/signature
    signature="header:x-slack-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    prefix="v0=",
    signed="v0:{header:x-slack-request-timestamp}:{body}",
    timestamp="{header:x-slack-request-timestamp}",
    tolerance_seconds=300,
)
ZOOM = Scheme(  # developers.zoom.us
    signature="header:x-zm-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    prefix="v0=",
    signed="v0:{header:x-zm-request-timestamp}:{body}",
    timestamp="{header:x-zm-request-timestamp}",
)
LINEAR = Scheme(  # linear.app/developers/webhooks, @linear/sdk
    signature="header:linear-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    timestamp="{json:webhookTimestamp}",
    unit="ms",
    tolerance_seconds=60,
)
TWITCH = Scheme(  # dev.twitch.tv/docs/eventsub/handling-webhook-events
    signature="header:twitch-eventsub-message-signature",
    algorithm="hmac-sha256",
    encoding="hex",
    prefix="sha256=",
    signed=("{header:twitch-eventsub-message-id}{header:twitch-eventsub-message-timestamp}{body}"),
    timestamp="{header:twitch-eventsub-message-timestamp}",
    unit="rfc3339",
    tolerance_seconds=600,
    ahead=False,
)
MAILGUN = Scheme(  # documentation.mailgun.com, django-anymail
    signature="json:signature.signature",
    algorithm="hmac-sha256",
    encoding="hex",
    signed="{json:signature.timestamp}{json:signature.token}",
    timestamp="{json:signature.timestamp}",
    covers="it is over the timestamp and the token, and the payload is not signed",
)
MAILGUN_FORM = replace(
    MAILGUN,
    signature="json:signature",
    signed="{json:timestamp}{json:token}",
    timestamp="{json:timestamp}",
)

SQUARE = Scheme(  # squareup, square/utils/webhooks_helper.py
    signature="header:x-square-hmacsha256-signature",
    algorithm="hmac-sha256",
    encoding="base64",
    signed="{url}{body}",
)
HUBSPOT = Scheme(  # developers.hubspot.com, hubspot-api-client
    signature="header:x-hubspot-signature-v3",
    algorithm="hmac-sha256",
    encoding="base64",
    signed=addresses.hubspot,
    timestamp="{header:x-hubspot-request-timestamp}",
    unit="ms",
    tolerance_seconds=300,
    ahead=False,
    beside=(("x-hubspot-request-timestamp", "{time}"),),
)
HUBSPOT_V2 = Scheme(  # developers.hubspot.com, "Validating requests", likewise version 1
    signature="header:x-hubspot-signature",
    algorithm="sha256",
    encoding="hex",
    signed="{method}{url}{body}",
    only_if=lambda headers: addresses.hubspot_version(headers) == "v2",
    beside=(("x-hubspot-signature-version", "v2"),),
)
HUBSPOT_V1 = replace(
    HUBSPOT_V2,
    signed="{body}",
    only_if=lambda headers: addresses.hubspot_version(headers) != "v2",
    beside=(("x-hubspot-signature-version", "v1"),),
)
TWILIO = Scheme(  # twilio/request_validator.py
    signature="header:x-twilio-signature",
    algorithm="hmac-sha1",
    encoding="base64",
    signed=addresses.twilio,
    only_if=lambda headers: not addresses.uses_shared_key(headers),
    address=addresses.with_body_hash,
)
TWILIO_SHARED_KEY = replace(
    TWILIO,
    algorithm="hmac-sha256",
    only_if=addresses.uses_shared_key,
    beside=(("x-twilio-webhooks-signature-settings", "algorithm=HMAC_SHA256"),),
)
MANDRILL = Scheme(  # mailchimp.com/developer, django-anymail
    signature="header:x-mandrill-signature",
    algorithm="hmac-sha1",
    encoding="base64",
    signed=addresses.mandrill,
)

DISCORD = Scheme(  # discord-interactions; a signature's time is not limited
    signature="header:x-signature-ed25519",
    algorithm="ed25519",
    encoding="hex",
    signed="{header:x-signature-timestamp}{body}",
    timestamp="{header:x-signature-timestamp}",
    key="ed25519-hex",
)
SENDGRID = Scheme(  # sendgrid, helpers/eventwebhook
    signature="header:x-twilio-email-event-webhook-signature",
    algorithm="ecdsa-p256-sha256",
    encoding="base64",
    signed="{header:x-twilio-email-event-webhook-timestamp}{body}",
    timestamp="{header:x-twilio-email-event-webhook-timestamp}",
    key="ecdsa-spki",
)
PAYPAL = Scheme(  # developer.paypal.com/api/rest/webhooks
    signature="header:paypal-transmission-sig",
    algorithm="rsa-sha256",
    encoding="base64",
    signed=paypal.message,
    timestamp="{header:paypal-transmission-time}",
    unit="rfc3339",
    key="rsa-certificate",
    beside=(
        ("paypal-transmission-id", "{id}"),
        ("paypal-transmission-time", "{time}"),
        ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"),
        ("paypal-auth-algo", "SHA256withRSA"),
    ),
)
POSTAL = Scheme(  # github.com/postalserver/postal: lib/postal/http.rb, app/lib/signer.rb
    signature="header:x-postal-signature-256",
    algorithm="rsa-sha256",
    encoding="base64",
    key="rsa",
)
POSTAL_SHA1 = replace(
    POSTAL,
    signature="header:x-postal-signature",
    algorithm="rsa-sha1",
    key="rsa-with-sha1",
)
SNS = Scheme(  # docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages"
    signature="json:Signature",
    algorithm="rsa-sha256",
    encoding="base64",
    signed=sns.message,
    key="rsa",
    unit="rfc3339",
    inside=(
        ("Type", "Notification"),
        ("MessageId", "{id}"),
        ("TopicArn", "arn:aws:sns:eu-west-1:123456789012:samples"),
        ("Message", "{body}"),
        ("Timestamp", "{time}"),
        ("SigningCertURL", f"{sns.CERTIFICATES}-7ff5318490ec183fbaddaa2a969abfda.pem"),
    ),
    covers="what stands beside the message in the body is not signed",
)
SNS_SHA1 = replace(SNS, algorithm="rsa-sha1", key="rsa-with-sha1")  # SignatureVersion 1

GRAPH = Scheme(  # learn.microsoft.com/graph/change-notifications-delivery-webhooks
    signature="json:value.*.clientState",
    algorithm="token",
    encoding="text",
    covers=_NOT_THE_BODY,
)
BASIC = token("header:authorization", prefix="Basic ", key="basic")
"""For providers that sign nothing, but take a URL with `user:password@` in it."""
