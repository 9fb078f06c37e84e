"""Whether a relay wrote a JSON body anew: other spaces or escapes, the same content.

Then its bytes are not those that were signed, and yet nobody tampered with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from webhooklab import bodies
from webhooklab.signatures.limits import MAX_REWRITTEN_BODY_BYTES

_COMPACT, _SPACED = (",", ":"), (", ", ": ")


def originals(body: bytes) -> Iterator[bytes]:
    """The forms in which common JSON writers would have sent this body.

    None as long as the body itself: what differs in one letter alone was not written anew.
    """
    if len(body) > MAX_REWRITTEN_BODY_BYTES or body[:1] not in (b"{", b"["):
        return
    try:
        data = bodies.parse_json(body)
        for form in _forms(data):
            if len(form) != len(body):
                yield form
    except (ValueError, TypeError, RecursionError):
        return


def _forms(data: object) -> Iterator[bytes]:
    for separators in (_COMPACT, _SPACED):
        for ascii_only in (False, True):
            text = json.dumps(data, separators=separators, ensure_ascii=ascii_only)
            yield text.encode()
    compact = json.dumps(data, separators=_COMPACT)
    yield compact.replace("/", "\\/").encode()  # PHP
    for sign in "<>&":
        compact = compact.replace(sign, f"\\u{ord(sign):04x}")
    yield compact.encode()  # Go, Rails
