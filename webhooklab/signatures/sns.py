"""What Amazon SNS signs, and whose certificate may have signed it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from webhooklab.signatures.material import Material, template
from webhooklab.signatures.problem import Problem
from webhooklab.signatures.verification import invalid

_certificate_of_sns = re.compile(
    r"https://sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?/SimpleNotificationService-[0-9a-f]+\.pem"
).fullmatch
CERTIFICATES = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService"
"""Where those of one region are, but for their numbers."""
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)


def message(material: Material) -> Sequence[bytes]:
    """Names and values of what is signed, each on a line; `Subject` only where there is one.

    Nothing is fetched from SigningCertURL: whoever writes the message writes that, too. Raises
    `Problem` when it is no address of Amazon's, or a value is missing.
    """
    if not _certificate_of_sns(material.json("SigningCertURL") or ""):
        raise Problem(invalid("SigningCertURL is missing, or is not an address of Amazon SNS"))
    names = _NOTIFICATION if material.json("Type") == "Notification" else _CONFIRMATION
    signed = [name for name in names if name != "Subject" or material.json(name) is not None]
    return [b"".join(template(f"{name}\n{{json:{name}}}\n")(material) for name in signed)]
