"""How deliveries are signed: schemes as data, a verifier and a signer.

Pure: no clock, no network. HMACs are the standard library's; key pairs are `cryptography`'s, which
is loaded when one is first read.
"""

from __future__ import annotations

from webhooklab.signatures.invented import SecretPair, invent
from webhooklab.signatures.keys import Secrets
from webhooklab.signatures.scheme import Scheme
from webhooklab.signatures.signer import Signed, sign
from webhooklab.signatures.verification import UNCHECKED, Verification
from webhooklab.signatures.verifier import Verifier

__all__ = [
    "UNCHECKED",
    "Scheme",
    "SecretPair",
    "Secrets",
    "Signed",
    "Verification",
    "Verifier",
    "invent",
    "sign",
]
