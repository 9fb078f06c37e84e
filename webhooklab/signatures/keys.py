"""Secrets as providers hand them out, read into keys that verify and sign.

A form's reader gives a key; None for a secret that belongs to another scheme of the same provider;
and raises `SecretError`, which never repeats the secret, for one that cannot be used.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, TypeAlias

from webhooklab.errors import SecretError
from webhooklab.signatures.scheme import KeyForm

Secret: TypeAlias = str | bytes
Secrets: TypeAlias = Secret | Iterable[Secret]
"""One secret, or several while one is rotated."""


@dataclass(frozen=True, slots=True)
class Key:
    """What verifies and signs: `material` is bytes for an HMAC or a token, else a key pair.

    `extra` is what goes into the message with it (PayPal's webhook id).
    """

    material: Any
    extra: str | None = None

    def __repr__(self) -> str:
        return "<Key>"  # never the secret


def pairs() -> ModuleType:
    """What knows of key pairs: loaded when one is first needed, for that takes a while."""
    from webhooklab.signatures import asymmetric  # noqa: PLC0415

    return asymmetric


def several(secret: Secrets | None) -> list[bytes]:
    """One secret or several as bytes, in the order given; empty ones are none."""
    if secret is None:
        return []
    is_one = isinstance(secret, str | bytes) or not isinstance(secret, Iterable)
    given: list[Any] = [secret] if is_one else list(secret)
    if not all(isinstance(each, str | bytes) for each in given):
        raise TypeError("a secret is text or bytes, or several of them in a list")
    return [each.encode() if isinstance(each, str) else each for each in given if each]


def read(form: KeyForm, secrets: list[bytes]) -> list[Key]:
    """The keys among the secrets. Raises `SecretError` when one is broken and none can be used."""
    if not secrets:
        raise SecretError("the secret is empty: is it an environment variable that is not set?")
    if form == "rsa-certificate":
        return _certificates(secrets)
    keys, broken = [], None
    for secret in secrets:
        try:
            keys.append(_READERS[form](secret))
        except SecretError as error:
            broken = error
    found = [Key(key) for key in keys if key is not None]
    if broken and not found:
        raise broken
    return found


def _text(secret: bytes) -> bytes:
    return secret


def _plain_token(secret: bytes) -> bytes | None:
    return None if secret.startswith(b"whsec_") else secret


def _basic(secret: bytes) -> bytes:
    if b":" not in secret:
        raise SecretError(
            "pass the user name and the password of the webhook's URL as user:password"
        )
    return base64.b64encode(secret)


def _standard(secret: bytes) -> bytes | None:
    if secret.startswith((b"whpk_", b"whsk_")):
        return None
    is_text = secret.startswith(b"whsec_") or secret.isascii()
    return _base64(secret.removeprefix(b"whsec_")) if is_text else secret


def _whsec(secret: bytes) -> bytes | None:
    return _standard(secret) if secret.startswith(b"whsec_") else None


def _standard_ed25519(secret: bytes) -> Any:
    prefix, key = secret[:5], secret[5:]
    if prefix == b"whpk_":
        return pairs().ed25519_public(_base64(key))
    return pairs().ed25519_private(_base64(key)) if prefix == b"whsk_" else None


def _ed25519_hex(secret: bytes) -> Any:
    """The public key; or the private one with the public behind it, which also signs."""
    try:
        raw = binascii.unhexlify(secret.strip())
    except ValueError:
        raise SecretError("this is not a public key in hex: 64 digits") from None
    return pairs().ed25519_private(raw) if len(raw) == 64 else pairs().ed25519_public(raw)


def _ecdsa(secret: bytes) -> Any:
    is_pem = b"-----BEGIN" in secret
    return pairs().ecdsa(secret if is_pem else _base64(b"".join(secret.split())))


def _rsa(secret: bytes, *, sha1: bool = False) -> Any:
    """PEM of a certificate or a key; or what a DKIM record has behind its `p=`, or all of it."""
    if b"-----BEGIN" not in secret:
        named = [item for item in secret.split(b";") if item.strip().startswith(b"p=")]
        item = named[0].partition(b"=")[2] if named else secret
        secret = _base64(b"".join(item.split()))
    return pairs().rsa_key(secret, sha1=sha1)


def _base64(text: bytes) -> bytes:
    """Padding may be missing, as the libraries of Standard Webhooks allow."""
    try:
        key = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise SecretError("the secret is not base64: copy it whole, with its prefix") from None
    if not key:
        raise SecretError("the secret is empty after its prefix")
    return key


def _certificates(secrets: list[bytes]) -> list[Key]:
    """Webhook ids and PEM certificates, given in any order: each id with each certificate."""
    pems = [secret for secret in secrets if b"-----BEGIN" in secret]
    ids = [secret.decode("utf-8", "replace") for secret in secrets if b"-----BEGIN" not in secret]
    if not ids:
        raise SecretError("the webhook's id is missing: pass it beside the certificate")
    keys = [pairs().rsa_key(pem) for pem in pems]
    return [Key(key, extra) for key in keys or [None] for extra in ids]


_READERS: dict[KeyForm, Callable[[bytes], Any]] = {
    "text": _text,
    "plain-token": _plain_token,
    "basic": _basic,
    "standard": _standard,
    "whsec": _whsec,
    "standard-ed25519": _standard_ed25519,
    "ed25519-hex": _ed25519_hex,
    "ecdsa-spki": _ecdsa,
    "rsa": _rsa,
    "rsa-with-sha1": partial(_rsa, sha1=True),
}
