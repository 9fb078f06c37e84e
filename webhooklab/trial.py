"""Samples sent to a Lab, so that one can try everything offline."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

import httpx

from webhooklab import clock, samples
from webhooklab.defaults import SAMPLE_TIMEOUT_SECONDS
from webhooklab.errors import WebhookLabError
from webhooklab.samples import Sample
from webhooklab.signatures import Secrets

_later_digit = re.compile(rb"[0-9][0-9]").finditer
_any_character = re.compile(rb"[0-9A-Za-z]").finditer


def sample(provider: str, event_type: str | None, *, url: str, secret: Secrets | None) -> Sample:
    """A new event of the provider, as it would be sent to `url` now. See `samples.build`."""
    return samples.build(
        provider,
        event_type,
        now_us=clock.now_us(),
        identity=secrets.token_hex(8),
        secret=secret,
        url=url,
    )


def tampered(original: Sample) -> Sample:
    """The same, but for one digit of the body: it can still be read, and says something else."""
    # Not a number's first digit, which JSON does not let be 0.
    found = list(_later_digit(original.body)) or list(_any_character(original.body))
    if not found:
        return original
    body = bytearray(original.body)
    body[found[-1].end() - 1] ^= 1
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
