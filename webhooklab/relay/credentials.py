"""What makes a relay's channel ours: kept for a capture file, so that its URL stays the same.

In the user's state folder, for its owner only: a capture file may be given to others.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from webhooklab.private import state_folder
from webhooklab.relay.protocol import Channel
from webhooklab.secret import keep


@dataclass(frozen=True, slots=True)
class Credentials:
    """A channel of the relay at `base_url`, made at `made_at` (us, our clock)."""

    base_url: str
    channel: Channel
    made_at: int


class Shelf:
    """Where the credentials for one capture file and one relay are. Its repr has none of them."""

    def __init__(self, file: Path, base_url: str) -> None:
        name = hashlib.sha256(os.fsencode(file) + b"\0" + base_url.encode()).hexdigest()[:32]
        self._place = state_folder("relays") / f"{name}.json"

    def get(self) -> Credentials | None:
        """What is kept; None where nothing is, or nothing that can be read."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(self._place.read_bytes())
            return Credentials(kept["base_url"], Channel(**kept["channel"]), int(kept["made_at"]))
        return None

    def put(self, credentials: Credentials) -> None:
        """Keep them. Raises `ExposureError` where that cannot be."""
        keep(self._place, asdict(credentials), "The relay's key")

    def remove(self) -> None:
        """Keep them no more."""
        with contextlib.suppress(OSError):
            self._place.unlink(missing_ok=True)
