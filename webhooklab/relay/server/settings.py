"""What an operator says about a relay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from webhooklab.defaults import HOST
from webhooklab.relay import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A relay's file, address and limits. What a limit means is said in `relay/limits.py`.

    `public_url`: how others reach it, ends in "/"; None: as each request says. `trust_proxy`: it
    stands behind a proxy, whose `X-Forwarded-For`, `-Proto` and `-Host` are true. `certfile` and
    `keyfile` (PEM): it speaks TLS itself; `keyfile` None: the key is in `certfile`.
    """

    db: Path
    host: str = HOST
    port: int = 8443
    certfile: Path | None = None
    keyfile: Path | None = None
    public_url: str | None = None
    trust_proxy: bool = False
    max_body_bytes: int = limits.MAX_BODY_BYTES
    queue_rows: int = limits.QUEUE_ROWS
    queue_bytes: int = limits.QUEUE_BYTES
    total_bytes: int = limits.TOTAL_BYTES
    kept_seconds: float = limits.KEPT_SECONDS
    acknowledged_seconds: float = limits.ACKNOWLEDGED_SECONDS
    channel_idle_seconds: float = limits.CHANNEL_IDLE_SECONDS
    rate_per_second: float = limits.RATE_PER_SECOND
    rate_burst: int = limits.RATE_BURST
    channels: int = limits.CHANNELS
    channels_per_address: int = limits.CHANNELS_PER_ADDRESS
    new_burst: int = limits.NEW_BURST
    connections: int = limits.CONNECTIONS
