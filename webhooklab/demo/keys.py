"""The Shop's credentials: its API key, and what its webhooks are signed with."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from webhooklab import clock, providers, verification
from webhooklab.demo.errors import ShopArgumentError
from webhooklab.signatures import SecretPair, Secrets, Signed
from webhooklab.signatures.keys import read, several

KEY_BYTES = range(24, 65)
"""How long a key of Standard Webhooks is, by its specification:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs as the provider of that name does. Its repr has no secret."""

    provider: str
    secrets: SecretPair = field(repr=False)

    def sign(self, body: bytes, *, url: str, event_id: str, now_us: int) -> Signed:
        """What to send to `url` at `now_us`; `event_id` is sent where there is a place."""
        return verification.sign(
            self.provider,
            body=body,
            secret=self.secrets.signing,
            now=clock.to_datetime(now_us),
            url=url,
            message_id=event_id,
        )


def signing(scheme: str, secret: Secrets | None, seed: int | str | None) -> Signing:
    """Sign as provider `scheme`, with this secret; None: from the seed, or random without one.

    Raises `ShopArgumentError`, without the secret, for a provider that does not sign and for a
    secret that does not fit.
    """
    try:
        name = providers.find(scheme).name
        made = Signing(name, _pair(name, secret, seed))
        made.sign(b"{}", url="http://127.0.0.1/", event_id="trial", now_us=0)
    except (TypeError, ValueError) as error:
        raise ShopArgumentError(f"scheme, secret: {error}.".replace("..", ".")) from None
    if not _is_long_enough(made):
        raise ShopArgumentError(
            "secret: not one of Standard Webhooks. Pass 'whsec_' and the base64 of 24 to 64 "
            "bytes, or leave it out and read shop.secret."
        )
    return made


def new_api_key(seed: int | str | None) -> str:
    """Return an API key `shop_...`: from the seed, or random without one."""
    return (
        "shop_" + hashlib.sha256(f"webhooklab {_told(seed, 'api key')}".encode()).hexdigest()[:40]
    )


def _pair(name: str, secret: Secrets | None, seed: int | str | None) -> SecretPair:
    if secret is None:
        return verification.invent(name, _told(seed, "secret"))
    is_one = isinstance(secret, str | bytes) or not isinstance(secret, Iterable)
    given: Any = secret if is_one else tuple(secret)
    return SecretPair(given, given)


def _is_long_enough(made: Signing) -> bool:
    if providers.find(made.provider).schemes[0].key != "standard":
        return True
    keys = read("standard", several(made.secrets.signing))
    return all(len(key.material) in KEY_BYTES for key in keys)


def _told(seed: int | str | None, purpose: str) -> str:
    """What a credential is made from. A seeded one is no secret to who knows the seed."""
    return f"shop {purpose} {secrets.token_hex(32) if seed is None else seed!r}"
