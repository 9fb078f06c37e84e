"""Limits on what is read of a signature, each with its unit in its name."""

from __future__ import annotations

MAX_SIGNATURES = 200
"""Of one delivery; further ones are not looked at."""
MAX_REWRITTEN_BODY_BYTES = 128 * 2**10
"""A longer body whose signature does not match is not tried in other spellings."""
MAX_SIGNED_JSON_BYTES = 2 * 2**20
"""A longer JSON body is not read for a signature inside it: reading takes time, while others wait.
Forms are: providers that forward mail with its attachments sign in them."""
