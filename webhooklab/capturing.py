"""What captures into a file: a server, the meaning of what comes, and what is kept. No frames."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webhooklab import clock
from webhooklab.defaults import HOST, MAX_BODY_BYTES
from webhooklab.exposure import Behind
from webhooklab.mapping import Mappings
from webhooklab.retaining import Retaining
from webhooklab.retention import Keep, parse_keep
from webhooklab.server import Server
from webhooklab.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to listen: the arguments of `Lab`. `keep` None: everything."""

    host: str = HOST
    port: int | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    allow_origins: Sequence[str] = ()
    handshakes: bool = True
    keep: Keep | None = None

    def told(self) -> dict[str, Any]:
        """All of them as JSON has them: see `options_from`."""
        origins = self.allow_origins
        return {
            "host": self.host,
            "port": self.port,
            "max_body_bytes": self.max_body_bytes,
            "allow_origins": [origins] if isinstance(origins, str) else list(origins),
            "handshakes": self.handshakes,
            "keep": None if self.keep is None else self.keep.text,
        }


def options_from(told: dict[str, Any]) -> Options:
    """Options, from what `Options.told` made of them. Raises `RetentionError`."""
    return Options(**{**told, "keep": parse_keep(told["keep"])})


class Capturing:
    """Captures into `store` from construction to `stop`. Who makes it owns the file."""

    def __init__(self, store: Store, mappings: Mappings, options: Options) -> None:
        self._store = store
        self._mappings = mappings
        self.since = clock.now_us()
        self.retention = Retaining(store, options.keep)
        with contextlib.ExitStack() as undo:
            self.server = Server(
                store,
                mappings.interpreter(),
                host=options.host,
                port=options.port,
                max_body_bytes=options.max_body_bytes,
                allow_origins=options.allow_origins,
                handshakes=options.handshakes,
            )
            undo.callback(self.server.stop)
            self.retention.start()
            undo.callback(self.retention.stop)
            store.on_foreign_change = self.reload_mappings
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Free the port. What is being committed is still answered. Repeatable."""
        self._undo.close()

    def reload_mappings(self) -> None:
        """Have what comes from now on interpreted by the mappings as they are in the file."""
        self.server.ingress.interpreter = self._mappings.interpreter()

    @property
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to."""
        ingress = self.server.ingress
        return Behind(self.server.url, ingress.envelope_key, ingress.max_body_bytes)

    def vitals(self) -> dict[str, Any]:
        """How it is, as JSON has it: what `health` tells of a listener."""
        keep = self.retention.keep
        return {
            "url": self.server.url,
            "since": self.since,
            "waiting": self._store.waiting,
            "commit_ms": {
                name: None if seconds is None else round(seconds * 1e3, 3)
                for name, share in (("p50", 0.5), ("p99", 0.99))
                for seconds in (self._store.commits.quantile(share),)
            },
            "stalls": self.server.stalls.as_dict(),
            "rules": self.server.ingress.rules.texts,
            "lost": self.server.ingress.lost,
            "keep": None if keep is None else keep.text,
        }
