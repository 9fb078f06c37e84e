"""Secrets made up for samples: of the right form, and of no value."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from webhooklab.signatures.keys import Secrets, pairs
from webhooklab.signatures.scheme import Scheme


@dataclass(frozen=True, slots=True)
class SecretPair:
    """What the sender signs with and what the receiver verifies with: often the same."""

    signing: Secrets = field(repr=False)
    verifying: Secrets = field(repr=False)


def invent(scheme: Scheme, seed: str) -> SecretPair:
    """Secrets of the form that the scheme's provider hands out; the same seed, the same ones.

    (But an RSA pair is new each time.)
    """
    raw = hashlib.sha256(f"webhooklab {seed}".encode()).digest()
    text = f"sample_{raw.hex()[:40]}"
    same = {"text": text, "plain-token": text, "basic": f"webhooks:{text}"}
    standard = f"whsec_{base64.b64encode(raw).decode()}"
    same |= {"standard": standard, "whsec": standard}
    if scheme.key in same:
        return SecretPair(same[scheme.key], same[scheme.key])
    return _pair(scheme, raw)


def _pair(scheme: Scheme, raw: bytes) -> SecretPair:
    if scheme.key == "rsa-certificate":
        private, public = pairs().new_rsa()
        return SecretPair(("WH-SAMPLE", private), ("WH-SAMPLE", public))
    if scheme.key in ("rsa", "rsa-with-sha1"):
        return SecretPair(*pairs().new_rsa())
    if scheme.key == "ecdsa-spki":
        private, public = (base64.b64encode(key) for key in pairs().new_ecdsa(raw))
        return SecretPair(private, public)
    private, public = pairs().new_ed25519(raw)
    if scheme.key == "ed25519-hex":
        return SecretPair(private.hex(), public.hex())
    written = [base64.b64encode(key).decode() for key in (private, public)]
    return SecretPair(f"whsk_{written[0]}", f"whpk_{written[1]}")
