"""The secrets of a channel: made, hashed, and the token sealed with the key.

Only hashes are kept. A reader wants the URL that its sender called, token included, so the token
is kept, too, but sealed: who has the file alone can neither write to a channel nor read one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from webhooklab.relay.limits import CHANNEL_BYTES, SECRET_BYTES


@dataclass(frozen=True, slots=True)
class Keys:
    """A new channel's `name`, for readers, and its secrets: `token` to write, `key` to read."""

    name: str
    token: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def sealed_token(self) -> bytes:
        """The token, for who has the key."""
        return _crossed(_bytes(self.token), self.key)


def new_keys() -> Keys:
    """Three texts that cannot be guessed, nor one from another."""
    secret = secrets.token_urlsafe
    return Keys(secret(CHANNEL_BYTES), secret(SECRET_BYTES), secret(SECRET_BYTES))


def hashed(secret: str) -> bytes:
    """What is kept of a secret. It is random, so no salt and no slowness are wanted."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def opens(key: str, key_hash: bytes) -> bool:
    """Whether it is the key that was hashed. Constant time."""
    return hmac.compare_digest(hashed(key), key_hash)


def unsealed(sealed_token: bytes, key: str) -> str:
    """The token that was sealed with the key."""
    return base64.urlsafe_b64encode(_crossed(sealed_token, key)).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    return base64.urlsafe_b64decode(f"{token}=")


def _crossed(token: bytes, key: str) -> bytes:
    """A one-time pad: the key is random, and seals this one token only."""
    pad = hmac.digest(key.encode(), b"webhooklab relay token", "sha256")
    return bytes(a ^ b for a, b in zip(token, pad, strict=True))
