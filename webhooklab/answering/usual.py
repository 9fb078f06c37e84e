"""The usual answers, and which have no body."""

from __future__ import annotations

from typing import Final

from webhooklab.defaults import RETRY_AFTER_SECONDS
from webhooklab.headers import BODILESS
from webhooklab.records import Answer

OK: Final = Answer()
WITHOUT_BODY: Final = (*BODILESS, 205)
"""Statuses whose answers must have no body; a 205 says so (RFC 9110, section 15.3.6)."""


def unavailable(why: str) -> Answer:
    """What a sender gets that is to try again."""
    return Answer(503, (("Retry-After", str(RETRY_AFTER_SECONDS)),), why.encode())
