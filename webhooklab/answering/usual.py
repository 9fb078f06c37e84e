"""The usual answers."""

from __future__ import annotations

from typing import Final

from webhooklab.defaults import RETRY_AFTER_SECONDS
from webhooklab.records import Answer

OK: Final = Answer()


def unavailable(why: str) -> Answer:
    """What a sender gets that is to try again."""
    return Answer(503, (("Retry-After", str(RETRY_AFTER_SECONDS)),), why.encode())
