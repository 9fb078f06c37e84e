"""Deliveries held against secrets. Keys are read once, and used for as many as come."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator, Sequence
from copy import copy

from webhooklab.headers import Headers
from webhooklab.signatures import wording
from webhooklab.signatures.age import judge
from webhooklab.signatures.keys import Key, Secrets, pairs, read, several
from webhooklab.signatures.material import Material, on_the_wire, template
from webhooklab.signatures.problem import Problem, SecretError
from webhooklab.signatures.reading import carries, signatures
from webhooklab.signatures.rewriting import originals
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.verification import Verification, invalid, unsigned, unverifiable

_HASHES = {"hmac-sha256": "sha256", "hmac-sha1": "sha1"}


class Verifier:
    """Verifies deliveries of one provider by one or several secrets.

    `tolerance_seconds` replaces the scheme's own. `problem` says why the secret cannot be used;
    None when it can.
    """

    def __init__(
        self,
        schemes: Sequence[Scheme],
        secret: Secrets | None,
        *,
        tolerance_seconds: float | None = None,
    ) -> None:
        self.problem: str | None = None
        self._tolerance_seconds = tolerance_seconds
        self._schemes = tuple(schemes)
        self._keys = [self._read(scheme, several(secret)) for scheme in schemes]
        if any(self._keys):
            self.problem = None

    def _read(self, scheme: Scheme, secrets: list[bytes]) -> list[Key]:
        try:
            return read(scheme.key, secrets)
        except SecretError as error:
            self.problem = str(error)
            return []

    def check(
        self,
        headers: Headers,
        body: bytes,
        *,
        url: str | None = None,
        method: str = "POST",
        now_us: int | None = None,
    ) -> Verification:
        """The verdict, with the time of receipt in microseconds. Never raises."""
        material = Material(headers, body, url=url, method=method)
        found = [
            (scheme, keys)
            for scheme, keys in zip(self._schemes, self._keys, strict=True)
            if carries(scheme, material) and (not scheme.only_if or scheme.only_if(headers))
        ]
        if not found:
            return self._without_signature(headers)
        suitable = [(scheme, keys) for scheme, keys in found if keys]
        if not suitable:
            return unverifiable(self.problem or wording.other_kind(found[0][0]))
        return self._first_valid(suitable, material, now_us)

    def _first_valid(
        self,
        suitable: list[tuple[Scheme, list[Key]]],
        material: Material,
        now_us: int | None,
    ) -> Verification:
        """The strongest scheme decides; only those in the same header are asked after it."""
        first: Verification | None = None
        for scheme, keys in suitable:
            if scheme.signature == suitable[0][0].signature:
                verdict = self._verdict(scheme, keys, material, now_us)
                if verdict.status == "valid":
                    return verdict
                first = first or verdict
        assert first is not None
        return first

    def _verdict(
        self, scheme: Scheme, keys: list[Key], material: Material, now_us: int | None
    ) -> Verification:
        try:
            given = signatures(scheme, material)
            if not given:
                return invalid(wording.malformed(scheme))
            if not _any_matches(scheme, keys, material, given):
                return _mismatch(scheme, keys, material, given)
            tolerance = self._tolerance_seconds
            tolerance = scheme.tolerance_seconds if tolerance is None else tolerance
            return judge(scheme, material, now_us, tolerance)
        except Problem as problem:
            return problem.verdict

    def _without_signature(self, headers: Headers) -> Verification:
        if not self._schemes:
            return unsigned("this provider signs nothing")
        for scheme in self._schemes:
            beside = [name for name in scheme.headers if name in headers]
            if beside and scheme.header:
                return invalid(
                    f"the header {scheme.header} is missing, though {beside[0]} is there"
                )
        return unsigned(wording.no_signature(self._schemes[0]))


def messages(scheme: Scheme, material: Material) -> Sequence[bytes]:
    """What may have been signed: one message, or several of which one was. Raises `Problem`."""
    if isinstance(scheme.signed, str):
        return (template(scheme.signed)(material),)
    return scheme.signed(material)


def encode(scheme: Scheme, signature: bytes) -> bytes:
    """A signature as it is written in the header, without its prefix."""
    if scheme.encoding == "hex":
        return binascii.hexlify(signature)
    return base64.b64encode(signature) if scheme.encoding == "base64" else signature


def mac(scheme: Scheme, key: bytes, message: bytes) -> bytes:
    """The HMAC of a message."""
    return hmac.digest(key, message, _HASHES[scheme.algorithm])


def _any_matches(scheme: Scheme, keys: list[Key], material: Material, given: list[str]) -> bool:
    written = [on_the_wire(each) for each in given]
    if scheme.algorithm in _HASHES or scheme.algorithm == "token":
        # All are compared, always, so that the time it takes tells nothing.
        found = False
        for expected in _expected(scheme, keys, material):
            for each in written:
                found |= hmac.compare_digest(expected, each)
        return found
    return _any_holds(scheme, keys, material, written)


def _expected(scheme: Scheme, keys: list[Key], material: Material) -> Iterator[bytes]:
    for key in keys:
        if scheme.algorithm == "token":
            yield key.material
        else:
            for message in messages(scheme, material):
                yield encode(scheme, mac(scheme, key.material, message))


def _any_holds(scheme: Scheme, keys: list[Key], material: Material, written: list[bytes]) -> bool:
    decoded = [raw for each in written if (raw := _decoded(scheme, each)) is not None]
    for key in keys:
        material.extra = key.extra
        for message in messages(scheme, material):
            if key.material is None:
                raise Problem(unverifiable(wording.CERTIFICATE))
            if any(pairs().holds(key.material, raw, message) for raw in decoded):
                return True
    return False


def _decoded(scheme: Scheme, written: bytes) -> bytes | None:
    """A signature's bytes; None unless it is written exactly as we would write it."""
    try:
        raw = binascii.unhexlify(written) if scheme.encoding == "hex" else base64.b64decode(written)
    except ValueError:
        return None
    return raw if encode(scheme, raw) == written else None


def _mismatch(
    scheme: Scheme, keys: list[Key], material: Material, given: list[str]
) -> Verification:
    if scheme.algorithm == "token":
        return invalid("the token is not the given secret")
    if not any(wording.is_well_formed(scheme, each) for each in given):
        return invalid(wording.malformed(scheme))
    if _was_rewritten(scheme, keys, material, given):
        return unverifiable(wording.REWRITTEN)
    return invalid(wording.mismatch(scheme))


def _was_rewritten(scheme: Scheme, keys: list[Key], material: Material, given: list[str]) -> bool:
    if scheme.algorithm not in _HASHES or scheme.header is None:
        return False
    for body in originals(material.body):
        original = copy(material)
        original.body = body
        if _any_matches(scheme, keys, original, given):
            return True
    return False
