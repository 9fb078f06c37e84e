"""Answers to handshakes, in which what a provider has sent is sent back."""

from __future__ import annotations

import json

from webhooklab.records import Answer


def plain(text: str) -> Answer:
    """A text as it is, which no browser reads as anything else."""
    headers = (("Content-Type", "text/plain"), ("X-Content-Type-Options", "nosniff"))
    return Answer(200, headers, text.encode("utf-8", "replace"))


def as_json(fields: dict[str, str | int]) -> Answer:
    """An object of JSON."""
    body = json.dumps(fields, separators=(",", ":")).encode()
    return Answer(200, (("Content-Type", "application/json"),), body)
