"""Samples sent to a Lab, so that one can try everything offline."""

from __future__ import annotations

import secrets
from dataclasses import replace

import httpx

from webhooklab import clock, samples
from webhooklab.defaults import SAMPLE_TIMEOUT_SECONDS
from webhooklab.errors import WebhookLabError
from webhooklab.samples import Sample
from webhooklab.signatures import Secrets


def sample(provider: str, event_type: str | None, *, url: str, secret: Secrets | None) -> Sample:
    """A new event of the provider, as it would be sent to `url` now. Raises `ValueError`."""
    return samples.build(
        provider,
        event_type,
        now_us=clock.now_us(),
        identity=secrets.token_hex(8),
        secret=secret,
        url=url,
    )


def tampered(original: Sample) -> Sample:
    """The same, but for one character of the body: it still says the same to a careless reader."""
    body = bytearray(original.body)
    place = next((n for n in range(len(body) - 1, -1, -1) if chr(body[n]).isalnum()), None)
    if place is not None:
        body[place] ^= 1
    return replace(original, body=bytes(body))


def send(ready: Sample) -> int:
    """POST it; returns the status. Raises `WebhookLabError` where nobody answers."""
    try:
        # To our own listener: a proxy has nothing to do with it.
        with httpx.Client(trust_env=False, timeout=SAMPLE_TIMEOUT_SECONDS) as client:
            answer = client.request(
                ready.method, ready.url, content=ready.body, headers=list(ready.headers)
            )
    except httpx.HTTPError as error:
        raise WebhookLabError(
            f"The sample had no answer from {httpx.URL(ready.url).copy_with(path='/')}: "
            f"{type(error).__name__}. Is a rule of lab.respond slow?"
        ) from error
    return answer.status_code
