"""How one provider signs, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from webhooklab.headers import Headers
from webhooklab.signatures.material import Material, names

Algorithm: TypeAlias = Literal[
    "hmac-sha256",
    "hmac-sha1",
    "sha256",
    "ed25519",
    "ecdsa-p256-sha256",
    "rsa-sha256",
    "rsa-sha1",
    "token",
]
Encoding: TypeAlias = Literal["hex", "base64", "text"]
Unit: TypeAlias = Literal["s", "ms", "rfc3339"]
KeyForm: TypeAlias = Literal[
    "text",
    "plain-token",
    "basic",
    "standard",
    "whsec",
    "standard-ed25519",
    "ed25519-hex",
    "ecdsa-spki",
    "rsa-certificate",
    "rsa",
    "rsa-with-sha1",
]
Alternatives: TypeAlias = Callable[[Material], Sequence[bytes]]


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """One way to sign a delivery.

    signature: where it is, as a place of a template (`header:x-hub-signature-256`,
        `json:signature.signature`); a header that ends in `-*` stands for `-1`, `-2`, ...
    algorithm, encoding: what is computed, and how it is written. A `token` is the secret itself;
        `sha256` is the hash of the secret with what is signed behind it.
    signed: what is signed, as a template (see `material.template`), or a function that gives
        several messages, one of which must be the one signed.
    second: the header that has a second signature while a secret is rotated; None: there is none.
    prefix: what stands before each signature. separator: what parts several signatures, and the
        `name=value` fields beside them; None: the header is one signature.
    timestamp: the template of the time of signing; None: there is none. unit: how it is written.
    tolerance_seconds: how old the provider's own SDK lets it be; None: it does not look.
    ahead: whether a time in the future is held to the same tolerance.
    key: the form that the secret has.
    only_if: says whether a request that has the signature is signed in this way after all.
    covers: what a valid signature says of the delivery, where that is not the whole body.
    beside: headers that are sent with the signature and are not in a template, with their values;
        `{time}` and `{id}` in a value are the time of signing and the message's id.
    inside: likewise, what the body has where it does not say it itself; `{body}` is all of it.
    address: what the sender makes of the URL, given it, the body and its Content-Type.
    """

    signature: str
    algorithm: Algorithm
    encoding: Encoding
    signed: str | Alternatives = "{body}"
    second: str | None = None
    prefix: str = ""
    separator: str | None = None
    timestamp: str | None = None
    unit: Unit = "s"
    tolerance_seconds: float | None = None
    ahead: bool = True
    key: KeyForm = "text"
    only_if: Callable[[Headers], bool] | None = None
    covers: str | None = None
    beside: tuple[tuple[str, str], ...] = ()
    inside: tuple[tuple[str, str], ...] = ()
    address: Callable[[str, bytes, str | None], str] | None = None

    @cached_property
    def header(self) -> str | None:
        """The signature's header in lower case; None when it is in the body."""
        kind, _, name = self.signature.partition(":")
        return name if kind == "header" else None

    @cached_property
    def signature_path(self) -> str:
        """The dotted path of a signature that is in the body."""
        return self.signature.partition(":")[2]

    @cached_property
    def timestamp_path(self) -> str | None:
        """The dotted path of a time of signing that is in the body; None when it is elsewhere."""
        paths = names(self.timestamp or "", "json")
        return paths[0] if paths else None

    @cached_property
    def has_fields(self) -> bool:
        """Whether what is signed is in part beside the signature, as a field of its header."""
        return isinstance(self.signed, str) and bool(names(self.signed, "field"))

    @cached_property
    def headers(self) -> tuple[str, ...]:
        """All headers that only a delivery signed in this way has, the signature's first."""
        own = [name for name in (self.header, self.second) if name]
        signed = self.signed if isinstance(self.signed, str) else ""
        beside = [name for name, _ in self.beside]
        return tuple(dict.fromkeys([*own, *names(signed, "header"), *beside]))
