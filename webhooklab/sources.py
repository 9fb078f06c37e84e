"""Where deliveries come from: the words of the column `source`; headers of ours that say more."""

from __future__ import annotations

from typing import Final

REWRITING: Final = ("smee", "webhookrelay")
"""What others' relays hand on, as far as they keep it."""
RELAYS: Final = ("relay", *REWRITING)
LIVE: Final = ("local", "jupyter", *RELAYS)
"""What a sender has sent: it may be forwarded, and fetched for."""

RECOVERED: Final = "recovered"
"""Made from what a poll saw."""
IMPORTED: Final = "import"
"""Loaded from a file: nothing is fetched or forwarded for it."""
REPLAYED: Final = "replay"
"""In a comparison only: what we sent to ourselves again."""

REPLAY_HEADER: Final = "webhooklab-replay"
"""How the name of the header begins that a replay of ours carries, in any case."""
REWRITTEN_HEADER: Final = "Webhooklab-Rewritten"
"""On what a relay of others has written anew: its body is not the sender's byte for byte."""


def is_replay(headers_json: str) -> bool:
    """Whether a delivery is one that we sent again; its headers as `lab.events` has them."""
    return f'["{REPLAY_HEADER}' in headers_json.lower()
