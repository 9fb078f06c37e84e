"""Deliveries signed anew, so that their timestamps are fresh.

Providers' libraries refuse what was signed more than a few minutes ago, so that what was captured
cannot be sent again as it is (stripe/stripe-node, issue 356).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from webhooklab import clock, providers, verification
from webhooklab.errors import SendArgumentError
from webhooklab.headers import Headers
from webhooklab.sending.outgoing import Outgoing, with_body, with_headers
from webhooklab.signatures import Secrets

_MESSAGE_IDS: Final = (
    *("webhook-id", "svix-id", "twitch-eventsub-message-id", "paypal-transmission-id"),
)
"""What names a message and is signed with it: it stays, so that a receiver knows a repetition."""


def check_resign(provider: str | None, secret: Secrets, url: str) -> None:
    """Raise `SendArgumentError` where such deliveries cannot be signed; no secret is in it."""
    if provider is None:
        raise SendArgumentError(
            "resign=: some of these deliveries are of no known provider, so nobody knows how they "
            "are signed: leave them out, or replay without resign."
        )
    try:
        verification.sign(
            provider, body=b"{}", secret=secret, now=clock.to_datetime(clock.now_us()), url=url
        )
    except ValueError as error:
        raise SendArgumentError(f"resign=: {error}") from None


def resigned(request: Outgoing, provider: str, secret: Secrets) -> Outgoing:
    """The request with the provider's signature of now. Raises `ValueError`."""
    headers = Headers(request.headers)
    ids = (headers.get(name) for name in _MESSAGE_IDS)
    signed = verification.sign(
        provider,
        body=request.body,
        secret=secret,
        now=clock.to_datetime(clock.now_us()),
        url=request.url,
        method=request.method,
        content_type=headers.get("content-type"),
        message_id=next((each for each in ids if each), None),
    )
    kept = [
        pair for pair in request.headers if not _is_signature(provider, pair[0], signed.headers)
    ]
    request = replace(request, headers=with_headers(kept, dict(signed.headers)))
    if signed.url and signed.url != request.url:
        raw_target = request.raw_target + signed.url[len(request.url) :].encode("ascii")
        request = replace(request, url=signed.url, raw_target=raw_target)
    return request if signed.body == request.body else with_body(request, signed.body)


def _is_signature(provider: str, name: str, signed: tuple[tuple[str, str], ...]) -> bool:
    """Whether a header is a signature of the provider's that was not made anew."""
    lower = name.lower()
    if lower in (each.lower() for each, _ in signed):
        return False
    for scheme in providers.find(provider).schemes:
        header = (scheme.header or "").lower()
        if header.endswith("-*") and lower.startswith(header[:-1]):
            return True
        if header and lower == header:
            return True
    return False
