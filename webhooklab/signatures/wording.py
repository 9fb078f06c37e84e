"""The reasons that are given, in words that one can act on. Nothing from the wire is in them."""

from __future__ import annotations

import re

from webhooklab.signatures import paddle, paypal, sns
from webhooklab.signatures.limits import MAX_SIGNED_JSON_BYTES
from webhooklab.signatures.scheme import Scheme

CERTIFICATE = (
    "the certificate is missing: download what is at the delivery's PAYPAL-CERT-URL, and pass its "
    "PEM text beside the webhook's id, as secret=[webhook_id, certificate]"
)
REWRITTEN = (
    "a relay wrote the body anew, with other spaces or escapes: written compactly its signature "
    "matches, but these are not the bytes that were signed. Have the relay pass on the raw body"
)
TOO_LONG = (
    f"the signature would be inside the body, and JSON of more than {MAX_SIGNED_JSON_BYTES:,} "
    "bytes is not read for it"
)

NOTHING = "this provider signs nothing"

_LENGTHS = {"hmac-sha256": 32, "hmac-sha1": 20, "sha256": 32, "ed25519": 64}
_hex = re.compile(rb"[0-9a-f]*").fullmatch
_base64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}").fullmatch


def is_well_formed(scheme: Scheme, written: bytes) -> bool:
    """Whether a text could be a signature of this scheme."""
    alphabet = _hex if scheme.encoding == "hex" else _base64
    size = _LENGTHS.get(scheme.algorithm)
    return alphabet(written) is not None and (size is None or len(written) == _characters(scheme))


def _characters(scheme: Scheme) -> int:
    size = _LENGTHS[scheme.algorithm]
    return size * 2 if scheme.encoding == "hex" else -(-size // 3) * 4


def _place(scheme: Scheme) -> str:
    return f"the header {scheme.header}" if scheme.header else "the body's signature"


def malformed(scheme: Scheme) -> str:
    """What a signature of this scheme looks like, where there is none."""
    size = f"{_characters(scheme)} characters of " if scheme.algorithm in _LENGTHS else ""
    form = f"{scheme.prefix!r} and " * bool(scheme.prefix) + size + scheme.encoding
    return f"{_place(scheme)} is malformed: it should have {form}"


def mismatch(scheme: Scheme) -> str:
    """Why a signature may not match."""
    if scheme.signed is sns.message:
        return (
            "the body was changed, or Amazon signed with another certificate: compare the "
            "delivery's SigningCertURL with where yours is from"
        )
    if scheme.signed in (paddle.message, paypal.message):
        return "signed with another key, or the body was changed"
    if not isinstance(scheme.signed, str) or "{url}" in scheme.signed:
        return "signed with another secret or for another URL, or the body was changed"
    return "signed with another secret, or the body was changed"


def no_signature(scheme: Scheme) -> str:
    """What is missing."""
    if scheme.header is None:
        return "the body has no signature in it"
    return f"there is no header {scheme.header}: was a secret set at the provider?"


def other_kind(scheme: Scheme) -> str:
    """The secrets are not of the kind that this signature needs."""
    return f"{_place(scheme)} needs another kind of secret than the one given"
