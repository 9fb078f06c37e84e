"""What PayPal signs, and whose certificate may have signed it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from webhooklab.signatures.material import Material, on_the_wire
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.verification import invalid

_certificate_of_paypal = re.compile(
    r"https://api(-m)?(\.sandbox)?\.paypal\.com/v1/notifications/certs/[A-Za-z0-9_.-]+"
).fullmatch


def message(material: Material) -> Sequence[bytes]:
    """Transmission id, time, webhook id, CRC-32 of the body.

    Raises `Problem` when the certificate is not at PayPal's, or another algorithm is named.
    """
    headers = material.headers
    if not _certificate_of_paypal(headers.get("paypal-cert-url") or ""):
        raise Problem(invalid("PAYPAL-CERT-URL is missing, or is not an address of PayPal's"))
    if (headers.get("paypal-auth-algo") or "SHA256withRSA").lower() != "sha256withrsa":
        raise Problem(invalid("PAYPAL-AUTH-ALGO names another algorithm than SHA256withRSA"))
    parts = [headers.get(f"paypal-transmission-{name}") for name in ("id", "time")]
    if None in parts:
        raise Problem(invalid("PAYPAL-TRANSMISSION-ID or -TIME is missing, and both are signed"))
    identity, time = (on_the_wire(part or "") for part in parts)
    webhook = (material.extra or "").encode()
    return [b"|".join([identity, time, webhook, b"%d" % zlib.crc32(material.body)])]
