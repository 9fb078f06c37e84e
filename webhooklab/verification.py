"""Signatures verified and made, by the provider's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from webhooklab import providers, signatures
from webhooklab.bodies import parse_json
from webhooklab.errors import CheckArgumentError
from webhooklab.headers import Headers, Pair
from webhooklab.instants import parse_instant
from webhooklab.providers import Provider
from webhooklab.signatures import SecretPair, Secrets, Signed, Verification, Verifier

GivenHeaders: TypeAlias = Headers | Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes
GivenBody: TypeAlias = bytes | bytearray | memoryview | str | None
Instant: TypeAlias = datetime | float | str
"""A datetime (a naive one is UTC), Unix time in seconds, or ISO 8601 text."""


def verify(
    provider: str,
    *,
    headers: GivenHeaders,
    body: GivenBody,
    secret: Secrets | None,
    url: str | None = None,
    method: str = "POST",
    now: Instant | None = None,
    tolerance: float | None = None,
) -> Verification:
    """Whether a delivery was signed with the secret, and a reason that one can act on.

    `provider` is one of `webhooklab.providers.names()`. `headers`: a mapping, pairs, or the text of
    the column `headers_json`. `body`: the raw bytes; text is taken as UTF-8. `secret`: as the
    provider shows it, text or bytes, or several while one is rotated; for providers that sign by
    key pairs their public key (PayPal: the webhook's id and the certificate); None: there is none.
    `url`: the address that the provider called, for those that sign it. `now`: the time of receipt,
    to which a timestamp's age is measured; None: age is not checked, and the reason says so.
    `tolerance`: the greatest age in seconds; None: that of the provider's own library.

    The status is "valid"; "invalid"; "unsigned": it carries no signature; or "unverifiable":
    something is missing to decide, or a relay wrote the body anew. Pure and in constant time.
    Nothing from the wire makes it raise. An unknown provider's name raises `ProviderError`, a
    `now` that is no time `CheckArgumentError` (both are `ValueError`s), a secret that is neither
    text nor bytes `TypeError`.
    """
    known = providers.find(provider)
    received_at = _instant(now)
    raw = _bytes(body)
    if not known.schemes:
        return _without_schemes(known)
    read = _headers(headers)
    if read is None:
        return Verification(
            "unverifiable",
            "the headers cannot be read: pass a mapping, pairs, or the text of headers_json",
        )
    verifier = Verifier(known.schemes, secret, tolerance_seconds=tolerance)
    return verifier.check(read, raw, url=url, method=method, now_us=received_at)


def verifier(provider: str, secret: Secrets | None) -> Verifier:
    """What verifies many deliveries of one provider: its keys are read once.

    Raises `ProviderError` for an unknown provider, `CheckArgumentError` for one that does not sign
    and for a secret that cannot be used, `TypeError` for one that is neither text nor bytes; the
    secret is not in its text.
    """
    known = _signing(provider)
    made = Verifier(known.schemes, secret)
    if made.problem:
        raise CheckArgumentError(f"{known.title}: {made.problem}")
    return made


def sign(
    provider: str,
    *,
    body: bytes,
    secret: Secrets,
    now: Instant,
    url: str | None = None,
    method: str = "POST",
    content_type: str | None = "application/json",
    message_id: str | None = None,
) -> Signed:
    """Sign a delivery as the provider would: the headers to add, and the body and URL to send.

    `now` is the time of signing. `message_id` is sent where the scheme has a place for one; None:
    it follows from body and time. Raises `ProviderError` for an unknown provider,
    `CheckArgumentError` for one that does not sign, for a secret that does not fit, and where the
    URL is signed and is None.
    """
    known = _signing(provider)
    signed_at = _instant(now)
    assert signed_at is not None
    return signatures.sign(
        known.schemes,
        secret=secret,
        body=body,
        now_us=signed_at,
        url=url,
        method=method,
        content_type=content_type,
        message_id=message_id,
    )


def invent(provider: str, seed: str) -> SecretPair:
    """Made-up secrets of the form that the provider hands out; the same seed, the same ones.

    (But an RSA pair is new each time.) Raises `ProviderError` for an unknown provider,
    `CheckArgumentError` for one that does not sign.
    """
    known = _signing(provider)
    scheme = next((each for each in known.schemes if each.key != "whsec"), known.schemes[0])
    return signatures.invent(scheme, seed)


def _signing(name: str) -> Provider:
    """The provider of this name, which signs. Raises `ProviderError`, `CheckArgumentError`."""
    known = providers.find(name)
    if not known.schemes:
        raise CheckArgumentError(f"{known.title}: {_without_schemes(known).reason}")
    return known


def _without_schemes(provider: Provider) -> Verification:
    if provider.unsigned is None:
        return Verification("unsigned", f"how {provider.title} signs is not known here")
    return Verification(
        "unverifiable" if provider.signs_otherwise else "unsigned", provider.unsigned
    )


def _instant(now: Instant | None) -> int | None:
    if now is None:
        return None
    instant = parse_instant(now)
    if instant is None:
        raise CheckArgumentError(
            "now is no time: pass a datetime, Unix time in seconds, or ISO 8601 text"
        )
    return instant


def _bytes(body: GivenBody) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _headers(given: GivenHeaders) -> Headers | None:
    if isinstance(given, Headers):
        return given
    try:
        if isinstance(given, str | bytes):
            given = parse_json(_bytes(given))
        items = given.items() if isinstance(given, Mapping) else given
        return Headers(pair for item in items for pair in _pairs(item))
    except (TypeError, ValueError):
        return None


def _pairs(item: Any) -> Iterator[Pair]:
    """A name with one value, or with several in a list."""
    name, value = item
    values = value if isinstance(value, list | tuple) else [value]
    for each in values:
        if each is not None:
            yield _text(name), _text(each)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
