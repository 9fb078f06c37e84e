"""What stands behind a Lab: the store, what listens, what pulls, what looks."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from webhooklab import clock
from webhooklab.defaults import HOST, MAX_BODY_BYTES
from webhooklab.errors import AttachedError, ClosedError
from webhooklab.following import Followers
from webhooklab.mapping import Mappings
from webhooklab.ownership import Ownership
from webhooklab.processes import Entry, Registry, Remote, Wish
from webhooklab.pulling import Pulling
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


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Listen in a process of its own; `outlives`: until stopped, not only for this kernel."""

    outlives: bool = True


class Parts:
    """The parts of a Lab for the capture file `path`, opened in order.

    `close` closes in reverse what was opened, as does an opening that fails half-way. `server` is
    what listens here; `remote` what listens for us in a process of its own; both are None while
    somebody else listens for the file.
    """

    def __init__(self, path: Path, options: Options, elsewhere: Elsewhere | None = None) -> None:
        self.path = path
        self.server: Server | None = None
        self.remote: Remote | None = None
        self._elsewhere = elsewhere
        self._registry = Registry()
        self.closed = False
        self.lost = False
        self._leaving = False
        self.closing = contextlib.ExitStack()
        self._lock = threading.Lock()
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._open(options)
            undo.pop_all()

    def _open(self, options: Options) -> None:
        self.store = Store(self.path)
        self.closing.callback(self.store.close)
        self.views = Views(self.store)
        self.mappings = Mappings(self.store)
        self.pulling = Pulling(
            self.store, refuse=lambda each: refusal(each, allow_origins=options.allow_origins)
        )
        self.closing.callback(self.pulling.stop)
        self.followers = Followers(self.store)
        self.closing.callback(self.followers.stop)
        if self._elsewhere is not None:
            self._have_listened(options, self._elsewhere)
            return
        ownership = Ownership(self.path)
        if ownership.acquire():
            self.closing.callback(ownership.release)
            self.closing.callback(self.store.close)  # before the lock goes to somebody else
            self._listen(options)
        else:
            warnings.warn(f"{self.headline}.", stacklevel=_TO_THE_CELL)

    def _have_listened(self, options: Options, elsewhere: Elsewhere) -> None:
        wish = Wish(file=self.path, options=asdict(options), outlives=elsewhere.outlives)
        self.remote = Remote(wish, on_rows=self.store.wake, on_end=self._lost)
        self.closing.callback(self._let_go, self.remote)

    def _let_go(self, remote: Remote) -> None:
        remote.close(stop=not self._leaving)

    def _lost(self) -> None:
        """The process that listened for us has ended, and we did not ask it to."""
        self.lost = True

    def _listen(self, options: Options) -> None:
        self.server = Server(
            self.store,
            self.mappings.interpreter(),
            host=options.host,
            port=options.port,
            max_body_bytes=options.max_body_bytes,
            allow_origins=options.allow_origins,
        )
        self.closing.callback(self.server.stop)
        entry = Entry(
            file=str(self.path), pid=os.getpid(), url=self.server.url, since=clock.now_us()
        )
        if self._registry.add(entry):
            self.closing.callback(self._registry.remove, self.path, entry.pid)
        self.store.on_foreign_change = self.reload_mappings

    def close(self, *, leaving: bool = False) -> None:
        """Free the port and end what runs. Deliveries being committed are still answered.

        `leaving`: this kernel ends; a listener that outlives it goes on.
        """
        with self._lock:
            if self.closed:
                return
            self.closed = True
        self._leaving = leaving
        self.closing.close()

    @property
    def leads(self) -> bool:
        """Whether what listens, here or elsewhere, does what we say."""
        if self.closed or self.lost:
            return False
        return self.server is not None or (self.remote is not None and self.remote.leads)

    @property
    def attached(self) -> bool:
        """Whether others decide what listens for the file, and we only look on."""
        return not self.leads and not self.closed

    @property
    def url(self) -> str:
        """Where deliveries are taken: here, or by the process that listens; "" if nobody does."""
        if self.server is not None:
            return self.server.url
        if self.remote is not None:
            return self.remote.url
        owner = owner_of(self.store)
        return owner.url if owner else ""

    @property
    def headline(self) -> str:
        """What the Lab is doing, in words."""
        if self.closed:
            return f"closed, {self.path.name} can still be read"
        if self.lost:
            return "nobody listens: the process that did has ended. Open the Lab again"
        if self.server is not None:
            return f"listening, captures go to {self.path.name}"
        if self.remote is not None and self.remote.leads:
            return f"listening in process {self.remote.pid}, captures go to {self.path.name}"
        owner = owner_of(self.store)
        who = f"process {owner.pid} listens at {owner.url}" if owner else "another process listens"
        return f"attached to {self.path.name}: {who}, this Lab sees its rows"

    def settle(self) -> None:
        """Return when all that came in before has been committed, where that can be asked for."""
        if self.server is not None:
            self.server.settle()
        elif self.remote is not None and not self.lost:
            self.remote.call("settle")

    def reload_mappings(self) -> None:
        """Have what comes from now on interpreted by the mappings as they are in the file."""
        if self.server is not None:
            self.server.ingress.interpreter = self.mappings.interpreter()
        elif self.remote is not None and not self.lost:
            self.remote.call("reload_mappings")

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
