"""What stands behind a Lab: the store, what listens, what pulls, what looks."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from webhooklab.defaults import HOST, MAX_BODY_BYTES
from webhooklab.errors import AttachedError, ClosedError
from webhooklab.exposure import Behind, Exposures
from webhooklab.following import Followers
from webhooklab.gates import Gates
from webhooklab.mapping import Mappings
from webhooklab.ownership import Ownership
from webhooklab.pulling import Pulling
from webhooklab.records import Delivery
from webhooklab.refusals import refusal
from webhooklab.server import Server, owner_of
from webhooklab.store import Store
from webhooklab.views import Views

_TO_THE_CELL: Final = 4
"""Frames between a warning here and the cell that made the Lab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to listen: the arguments of `Lab`."""

    host: str = HOST
    port: int | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    allow_origins: Sequence[str] = ()
    handshakes: bool = True


class Parts:
    """The parts of a Lab for the capture file `path`, opened in order.

    `close` closes in reverse what was opened, as does an opening that fails half-way. `server` is
    None while another process listens for the file.
    """

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        self.server: Server | None = None
        self.closed = False
        self.closing = contextlib.ExitStack()
        self._lock = threading.Lock()
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._open(options)
            self.closing.callback(
                self.exposures.close
            )  # first: senders hear of it from what is there
            undo.pop_all()

    def _open(self, options: Options) -> None:
        self.store = Store(self.path)
        self.closing.callback(self.store.close)
        self.views = Views(self.store)
        self.mappings = Mappings(self.store)
        self.pulling = Pulling(self.store, refuse=partial(self._refusal, options.allow_origins))
        self.closing.callback(self.pulling.stop)
        self.followers = Followers(self.store)
        self.closing.callback(self.followers.stop)
        self.exposures = Exposures()
        ownership = Ownership(self.path)
        if ownership.acquire():
            self.closing.callback(ownership.release)
            self.closing.callback(self.store.close)  # before the lock goes to somebody else
            self._listen(options)
        else:
            warnings.warn(f"{self.headline}.", stacklevel=_TO_THE_CELL)

    def _refusal(
        self, allow_origins: Sequence[str], delivery: Delivery, *, unverified: bool
    ) -> str | None:
        """Why nothing is sent out for a delivery."""
        checked = self.server is not None and self.server.ingress.checks.concern(delivery.path)
        return refusal(
            delivery, allow_origins=allow_origins, must_be_valid=checked and not unverified
        )

    def _listen(self, options: Options) -> None:
        self.server = Server(
            self.store,
            self.mappings.interpreter(),
            host=options.host,
            port=options.port,
            max_body_bytes=options.max_body_bytes,
            allow_origins=options.allow_origins,
            handshakes=options.handshakes,
        )
        self.closing.callback(self.server.stop)
        self.store.on_foreign_change = self.reload_mappings

    def close(self) -> None:
        """Free the port and end what runs. Deliveries being committed are still answered."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
        self.closing.close()

    @property
    def listening(self) -> bool:
        """Whether the server is ours."""
        return self.server is not None and not self.closed

    @property
    def attached(self) -> bool:
        """Whether another process listens for the file."""
        return self.server is None and not self.closed

    @property
    def url(self) -> str:
        """Where deliveries are taken: here, or by the process that listens; "" if nobody does."""
        if self.server is not None:
            return self.server.url
        owner = owner_of(self.store)
        return owner.url if owner else ""

    @property
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to. Only where the server is ours."""
        assert self.server is not None
        ingress = self.server.ingress
        return Behind(self.server.url, ingress.envelope_key, ingress.max_body_bytes)

    @property
    def gates(self) -> Gates:
        """What comes by a tunnel must pass these. Only where the server is ours."""
        assert self.server is not None
        return self.server.ingress.gates

    @property
    def headline(self) -> str:
        """What the Lab is doing, in words."""
        if self.closed:
            return f"closed, {self.path.name} can still be read"
        if self.server is not None:
            return f"listening, captures go to {self.path.name}"
        owner = owner_of(self.store)
        who = f"process {owner.pid} listens at {owner.url}" if owner else "another process listens"
        return f"attached to {self.path.name}: {who}, this Lab sees its rows"

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should not forget: that senders get something else than a 200."""
        if self.server is None or self.closed:
            return ()
        return tuple(f"This Lab {text} (lab.respond)." for text in self.server.ingress.rules.texts)

    def reload_mappings(self) -> None:
        """Have what comes from now on interpreted by the mappings as they are in the file."""
        if self.server is not None:
            self.server.ingress.interpreter = self.mappings.interpreter()

    def check_open(self) -> None:
        """Raise `ClosedError` when this is closed."""
        if self.closed:
            raise ClosedError(
                f"This Lab is closed; {self.path.name} can still be read. "
                "Open it again with Lab(path)."
            )

    def check_owner(self, what: str) -> None:
        """Raise `AttachedError` where another process listens: two would do `what`."""
        self.check_open()
        if self.attached:
            raise AttachedError(
                f"This Lab is attached, and would {what} beside the process that listens: "
                "do it there, or end that process and open the Lab again."
            )
