"""What listens for a Lab: a part of this process, a process of its own, or what others have opened.

here         `capturing`; we hold the file's lock
elsewhere    `remote`: started by us or found; it leads to us, or to another Lab
attached     neither: somebody else listens, and takes no orders
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from webhooklab import disks
from webhooklab.answering import Rules
from webhooklab.capturing import Capturing, Options
from webhooklab.checking import Checks
from webhooklab.checkup import ListenerState
from webhooklab.errors import CaptureFileError, ListenerProcessError
from webhooklab.exposure import Behind
from webhooklab.gates import TakesGates
from webhooklab.mapping import Mappings
from webhooklab.ownership import Ownership
from webhooklab.processes import (
    Entry,
    Registry,
    Remote,
    RemoteChecks,
    RemoteGates,
    RemoteRules,
    Wish,
)
from webhooklab.server import Server, owner_of
from webhooklab.store import Store

logger = logging.getLogger(__name__)

LOST: Final = "nobody listens, the process that did has ended: open the Lab again"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Listen in a process of its own; `outlives`: until stopped, not only for this kernel."""

    outlives: bool = True


class Listening:
    """Has something listen for `store`'s file, or finds out who does, until `close`.

    `rules` and `checks` are those of what listens; None where this Lab has no say. `lost`: it was a
    process of its own, which has ended without being asked to.
    """

    def __init__(
        self, store: Store, mappings: Mappings, options: Options, elsewhere: Elsewhere | None
    ) -> None:
        self.capturing: Capturing | None = None
        self.remote: Remote | None = None
        self.rules: Rules | RemoteRules | None = None
        self.checks: Checks | None = None
        self.lost = False
        self.closed = False
        self._store = store
        self._mappings = mappings
        self._leaving = False
        with contextlib.ExitStack() as undo:
            if elsewhere is None:
                self._try_to_listen(options, undo)
            else:
                self._have_listened(options, elsewhere, undo)
            self._closing = undo.pop_all()

    def _try_to_listen(self, options: Options, closing: contextlib.ExitStack) -> None:
        ownership = Ownership(self._store.path)
        if not ownership.acquire():
            return
        closing.callback(ownership.release)
        closing.callback(self._store.close)  # before the lock goes to somebody else
        self.capturing = Capturing(self._store, self._mappings, options)
        closing.callback(self.capturing.stop)
        ingress = self.capturing.server.ingress
        self.rules, self.checks = ingress.rules, ingress.checks
        self._register(self.capturing, closing)

    def _register(self, capturing: Capturing, closing: contextlib.ExitStack) -> None:
        path, url = self._store.path, capturing.server.url
        entry = Entry(file=str(path), pid=os.getpid(), url=url, since=capturing.since)
        if Registry().add(entry):
            closing.callback(Registry().remove, path, entry.pid)

    def _have_listened(
        self, options: Options, elsewhere: Elsewhere, closing: contextlib.ExitStack
    ) -> None:
        path = self._store.path
        _check_local(path)
        wish = Wish(file=path, options=options.told(), outlives=elsewhere.outlives)
        self.remote = Remote.reach(wish, on_rows=self._store.wake, on_end=self._lose)
        if self.remote is not None:
            closing.callback(self._let_go, self.remote)
            self.rules = RemoteRules(self.remote)
            self.checks = RemoteChecks(self.remote, self.remote.url, self.remote.checked)

    def _let_go(self, remote: Remote) -> None:
        remote.close(stop=not self._leaving)

    def _lose(self) -> None:
        """The process that listened for us has ended, and we did not ask it to."""
        if not self.closed:
            self.lost = True
            logger.error("%s: %s", self._store.path, LOST)
            self._store.wake()

    def close(self, *, leaving: bool) -> None:
        """Free the port. `leaving`: this kernel ends; a listener that outlives it goes on."""
        self.closed = True
        self._leaving = leaving
        self._closing.close()

    @property
    def server(self) -> Server | None:
        """What listens here; None when nothing does."""
        return None if self.capturing is None else self.capturing.server

    @property
    def leads(self) -> bool:
        """Whether what listens, here or elsewhere, does what we say."""
        if self.closed or self.lost:
            return False
        return self.server is not None or (self.remote is not None and self.remote.leads)

    @property
    def url(self) -> str:
        """Where deliveries are taken: here, or by the process that listens; "" if nobody does."""
        if self.server is not None:
            return self.server.url
        if self.remote is not None:
            return self.remote.url
        owner = owner_of(self._store)
        return owner.url if owner else ""

    @property
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to. For who leads."""
        if self.capturing is not None:
            return self.capturing.behind
        assert self.remote is not None
        return self.remote.behind

    @property
    def gates(self) -> TakesGates:
        """What comes by a tunnel must pass these. For who leads."""
        if self.capturing is not None:
            return self.capturing.server.ingress.gates
        assert self.remote is not None
        return RemoteGates(self.remote)

    def goes_on(self, *, leaving: bool) -> bool:
        """Whether what listens does so when this is closed, and for more than a moment."""
        return self.leads and self.remote is not None and self.remote.goes_on(leaving=leaving)

    @property
    def headline(self) -> str:
        """What the Lab is doing, in words."""
        name = self._store.path.name
        if self.closed:
            return f"closed, {name} can still be read"
        if self.lost:
            return LOST
        if self.server is not None:
            return f"listening, captures go to {name}"
        if self.remote is not None and self.remote.leads:
            return f"listening in process {self.remote.pid}, captures go to {name}"
        owner = owner_of(self._store)
        who = f"process {owner.pid} listens at {owner.url}" if owner else "another process listens"
        return f"attached to {name}: {who}, this Lab sees its rows"

    @property
    def since(self) -> int | None:
        """When what listens began to, in us since the epoch; None: nothing does, as far as we know.

        What a sender got is not known of deliveries that came before and had no answer by then.
        """
        if self.closed or self.lost:
            return None
        if self.capturing is not None:
            return self.capturing.since
        owner = owner_of(self._store)
        return owner.since if owner else None

    def settle(self) -> None:
        """Return when all that came in before has been committed, where that can be asked for."""
        if self.server is not None:
            self.server.settle()
        elif self.remote is not None and not self.lost:
            self.remote.call("settle")

    def reload_mappings(self) -> None:
        """Have what comes from now on interpreted by the mappings as they are in the file."""
        if self.capturing is not None:
            self.capturing.reload_mappings()
        elif self.remote is not None and not self.lost:
            self.remote.call("reload_mappings")

    def told(self, timeout: float) -> ListenerState:
        """How it is; a process that does not say so within `timeout` seconds says nothing."""
        remote = self.remote
        return ListenerState(
            headline=self.headline,
            url=self.url,
            vitals=self._vitals(timeout),
            elsewhere=self.capturing is None,
            kernel_stalls=None if remote is None else remote.stalls.as_dict()["count"],
        )

    def _vitals(self, timeout: float) -> dict[str, Any] | None:
        if self.closed:
            return None
        if self.capturing is not None:
            return self.capturing.vitals()
        if self.remote is None or self.lost:
            return None
        with contextlib.suppress(ListenerProcessError):  # it stands still, or has just ended
            found: dict[str, Any] = self.remote.call("vitals", timeout)
            return found
        return None


def _check_local(path: Path) -> None:
    if disks.on_network(path):
        raise CaptureFileError(
            f"{path} is on a network file system ({disks.file_system(path)}), where only one "
            'process can use it: choose a path on a local disk, or listener="thread".'
        )
