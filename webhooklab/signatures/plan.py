"""One scheme with its keys, made ready: what can be worked out once is not worked out again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Final

from webhooklab.signatures import wording
from webhooklab.signatures.age import Age
from webhooklab.signatures.keys import Key, pairs
from webhooklab.signatures.material import Material, on_the_wire, template
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.reading import carries, signatures
from webhooklab.signatures.rewriting import originals
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.verification import Verification, invalid, unverifiable

HASHES: Final = {"hmac-sha256": "sha256", "hmac-sha1": "sha1", "sha256": "sha256"}
_ENCODE: Final[dict[str, Callable[[bytes], bytes]]] = {
    "hex": binascii.hexlify,
    "base64": base64.b64encode,
    "text": bytes,
}


class Plan:
    """Judges deliveries by one scheme. `keys` may be none: then it can only tell that it applies.

    `tolerance_seconds`: None: the scheme's own.
    """

    def __init__(self, scheme: Scheme, keys: list[Key], tolerance_seconds: float | None) -> None:
        self.scheme = scheme
        self.keys = keys
        self._age = Age(scheme, tolerance_seconds)
        self._header = scheme.header
        self._is_plain_header = scheme.header is not None and not scheme.header.endswith("-*")
        self._hash = HASHES.get(scheme.algorithm)
        self._encode = _ENCODE[scheme.encoding]
        signed = scheme.signed
        self._message = template(signed) if isinstance(signed, str) else None
        self._macs = [self._mac(key, self._hash) for key in keys] if self._hash else []

    def applies(self, material: Material) -> bool:
        """Whether the delivery has a signature of this scheme, well-formed or not."""
        if self._is_plain_header:
            found = self._header in material.headers.names
        else:
            found = carries(self.scheme, material)
        only_if = self.scheme.only_if
        return found and (only_if is None or only_if(material.headers))

    def verdict(self, material: Material, now_us: int | None) -> Verification:
        """The verdict by this scheme. Never raises."""
        try:
            given = [on_the_wire(each) for each in signatures(self.scheme, material)]
            if not given:
                return invalid(wording.malformed(self.scheme))
            if not self._any_matches(material, given):
                return self._mismatch(material, given)
            return self._age.judge(material, now_us)
        except Problem as problem:
            return problem.verdict

    def messages(self, material: Material) -> Sequence[bytes]:
        """What may have been signed: one message, or several of which one was. `Problem`."""
        if self._message is not None:
            return (self._message(material),)
        assert callable(self.scheme.signed)
        return self.scheme.signed(material)

    def written(self, message: bytes) -> bytes:
        """A signature by the first key, as it stands in the header behind the prefix."""
        if self._macs:
            return self._macs[0](message)
        return self._encode(self.keys[0].material.sign(message))

    def _mac(self, key: Key, algorithm: str) -> Callable[[bytes], bytes]:
        """What writes one key's HMACs. A copy costs less than the key, read anew for each."""
        encode = self._encode
        if self.scheme.algorithm == "sha256":
            keyed: Any = hashlib.new(algorithm, key.material)
        else:
            keyed = hmac.new(key.material, digestmod=algorithm)

        def written(message: bytes) -> bytes:
            mac = keyed.copy()
            mac.update(message)
            return encode(mac.digest())

        return written

    def _any_matches(self, material: Material, given: list[bytes]) -> bool:
        if self.scheme.algorithm == "token":
            return _any_same([key.material for key in self.keys], given)
        if self._hash is None:
            return self._any_holds(material, given)
        expected = [mac(message) for message in self.messages(material) for mac in self._macs]
        return _any_same(expected, given)

    def _any_holds(self, material: Material, given: list[bytes]) -> bool:
        decoded = [raw for each in given if (raw := self._decoded(each)) is not None]
        for key in self.keys:
            material.extra = key.extra
            for message in self.messages(material):
                if key.material is None:
                    raise Problem(unverifiable(wording.CERTIFICATE))
                if any(pairs().holds(key.material, raw, message) for raw in decoded):
                    return True
        return False

    def _decoded(self, written: bytes) -> bytes | None:
        """A signature's bytes; None unless it is written exactly as we would write it."""
        decode = binascii.unhexlify if self.scheme.encoding == "hex" else base64.b64decode
        try:
            raw: bytes = decode(written)
        except ValueError:
            return None
        return raw if self._encode(raw) == written else None

    def _mismatch(self, material: Material, given: list[bytes]) -> Verification:
        if self.scheme.algorithm == "token":
            return invalid("the token is not the given secret")
        if not any(wording.is_well_formed(self.scheme, each) for each in given):
            return invalid(wording.malformed(self.scheme))
        if self._was_rewritten(material, given):
            return unverifiable(wording.REWRITTEN)
        return invalid(wording.mismatch(self.scheme))

    def _was_rewritten(self, material: Material, given: list[bytes]) -> bool:
        if self._hash is None or self._header is None:
            return False
        for body in originals(material.body):
            original = copy(material)
            original.body = body
            if self._any_matches(original, given):
                return True
        return False


def _any_same(expected: list[bytes], given: list[bytes]) -> bool:
    # All are compared, always, so that the time it takes tells nothing.
    found = False
    for ours in expected:
        for each in given:
            found |= hmac.compare_digest(ours, each)
    return found
