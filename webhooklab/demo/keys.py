"""The Shop's credentials, and the signature of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from webhooklab.demo.errors import ShopArgumentError

SECRET_PREFIX = "whsec_"  # noqa: S105 - public, the same for everybody
SECRET_BYTES = 32


def new_secret(seed: int | str | None) -> str:
    """Return a `whsec_...` secret: from the seed, or random without one."""
    return SECRET_PREFIX + base64.b64encode(_material(seed, "secret")).decode()


def new_api_key(seed: int | str | None) -> str:
    """Return an API key `shop_...`: from the seed, or random without one."""
    return "shop_" + _material(seed, "api key").hex()[:40]


def signing_key(secret: str) -> bytes:
    """Return the bytes that sign: base64 of what follows `whsec_`. 24 to 64 of them."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise ShopArgumentError(
            "secret: not a Standard Webhooks secret. Pass 'whsec_' and the base64 of 24 to 64 "
            "bytes, or leave it out and read shop.secret."
        )
    return key


def signature(key: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>` over `id.timestamp.body`; `timestamp` in whole seconds since 1970."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _material(seed: int | str | None, purpose: str) -> bytes:
    """Derive 32 bytes. A seeded Shop is no secret to who knows the seed; it is on loopback."""
    if seed is None:
        return secrets.token_bytes(SECRET_BYTES)
    return hashlib.sha256(f"webhooklab shop {purpose} {seed!r}".encode()).digest()
