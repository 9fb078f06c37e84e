"""What stands behind a Lab: the store, what listens, what pulls, what looks."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from webhooklab import clock, disks
from webhooklab.answering import Rules
from webhooklab.capturing import Capturing, Options
from webhooklab.checking import Checks
from webhooklab.checkup import Listening, examine
from webhooklab.defaults import CHANNEL_ANSWER_SECONDS, NOTICES_SECONDS, VITALS_SECONDS
from webhooklab.errors import (
    AttachedError,
    CaptureFileError,
    ClosedError,
    ListenerProcessError,
    MappingError,
)
from webhooklab.exposure import Behind, Exposures
from webhooklab.following import Followers
from webhooklab.gates import Gates
from webhooklab.health import Health
from webhooklab.ingress import Ingress
from webhooklab.mapping import Mapping, Mappings
from webhooklab.ownership import Ownership
from webhooklab.processes import Entry, Registry, Remote, RemoteChecks, RemoteRules, Wish
from webhooklab.pulling import Pulling
from webhooklab.records import Delivery
from webhooklab.refusals import refusal
from webhooklab.server import Server, owner_of
from webhooklab.store import Store
from webhooklab.views import Views

logger = logging.getLogger(__name__)

_TO_THE_CELL: Final = 4
"""Frames between a warning here and the cell that made the Lab."""


_LOST: Final = "nobody listens, the process that did has ended: open the Lab again"
_HOW_TO_LEAD: Final = (
    "To have it listen for this Lab, close the Lab there, or end that program: `webhooklab status` "
    'lists it. A process of its own is joined with listener="process", unless another Lab leads it.'
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Listen in a process of its own; `outlives`: until stopped, not only for this kernel."""

    outlives: bool = True


class Parts:
    """The parts of a Lab for the capture file `path`, opened in order.

    `close` closes in reverse what was opened, as does an opening that fails half-way. `capturing`
    is what listens here; `remote` what listens for us in a process of its own; both are None while
    somebody else listens for the file.
    """

    def __init__(self, path: Path, options: Options, elsewhere: Elsewhere | None = None) -> None:
        self.path = path
        self.capturing: Capturing | None = None
        self.remote: Remote | None = None
        self._elsewhere = elsewhere
        self._registry = Registry()
        self.closed = False
        self.lost = False
        self._leaving = False
        self._rules: Rules | RemoteRules | None = None
        self._checks: Checks | None = None
        self._examine_at = 0.0
        self._warned: tuple[str, ...] = ()
        self._ruled: tuple[str, ...] = ()
        self.closing = contextlib.ExitStack()
        self._lock = threading.Lock()
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._open(options)
            # First: senders hear of it from what is there.
            self.closing.callback(self.exposures.close)
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
        if self._elsewhere is not None:
            self._have_listened(options, self._elsewhere)
        else:
            self._try_to_listen(options)
        if not self.leads:
            warnings.warn(f"{self.headline}. {_HOW_TO_LEAD}", stacklevel=_TO_THE_CELL)

    def _try_to_listen(self, options: Options) -> None:
        ownership = Ownership(self.path)
        if ownership.acquire():
            self.closing.callback(ownership.release)
            self.closing.callback(self.store.close)  # before the lock goes to somebody else
            self._listen(options)

    def _have_listened(self, options: Options, elsewhere: Elsewhere) -> None:
        _check_local(self.path)
        keep = options.keep
        given = {
            "host": options.host,
            "port": options.port,
            "max_body_bytes": options.max_body_bytes,
            "allow_origins": _listed(options.allow_origins),
            "handshakes": options.handshakes,
            "keep": None if keep is None else keep.text,
        }
        wish = Wish(file=self.path, options=given, outlives=elsewhere.outlives)
        self.remote = Remote.reach(wish, on_rows=self.store.wake, on_end=self._lose)
        if self.remote is None:
            return
        self.closing.callback(self._let_go, self.remote)
        self._rules = RemoteRules(self.remote)
        self._checks = RemoteChecks(self.remote, self.remote.url, self.remote.checked)

    def _let_go(self, remote: Remote) -> None:
        remote.close(stop=not self._leaving)

    def _lose(self) -> None:
        """The process that listened for us has ended, and we did not ask it to."""
        if self.closed:
            return
        self.lost = True
        logger.error("%s: %s", self.path, self.headline)
        self.store.wake()

    def _refusal(
        self, allow_origins: Sequence[str], delivery: Delivery, *, unverified: bool
    ) -> str | None:
        """Why nothing is sent out for a delivery."""
        checked = self._checks is not None and self._checks.concern(delivery.path)
        return refusal(
            delivery, allow_origins=allow_origins, must_be_valid=checked and not unverified
        )

    def _listen(self, options: Options) -> None:
        self.capturing = Capturing(self.store, self.mappings, options)
        self._rules = self.capturing.server.ingress.rules
        self._checks = self.capturing.server.ingress.checks
        self.closing.callback(self.capturing.stop)
        entry = Entry(
            file=str(self.path),
            pid=os.getpid(),
            url=self.capturing.server.url,
            since=self.capturing.since,
        )
        if self._registry.add(entry):
            self.closing.callback(self._registry.remove, self.path, entry.pid)

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
    def server(self) -> Server | None:
        """What listens here; None when nothing does."""
        return None if self.capturing is None else self.capturing.server

    @property
    def rules(self) -> Rules | RemoteRules:
        """What senders get, as this Lab says. Raises `AttachedError` where it has no say."""
        self.check_owner("answer")
        assert self._rules is not None  # who leads has them
        return self._rules

    @property
    def checks(self) -> Checks:
        """By which secrets signatures are checked. Raises `AttachedError` as `rules` does."""
        self.check_owner("check signatures")
        assert self._checks is not None  # who leads has them
        return self._checks

    @property
    def leads(self) -> bool:
        """Whether what listens, here or elsewhere, does what we say."""
        if self.closed or self.lost:
            return False
        return self.server is not None or (self.remote is not None and self.remote.leads)

    @property
    def attached(self) -> bool:
        """Whether others decide what listens for the file, and we only look on."""
        return not (self.leads or self.closed or self.lost)

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
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to. Raises as `ingress` does."""
        ingress = self.ingress("expose the file")
        return Behind(self.url, ingress.envelope_key, ingress.max_body_bytes)

    @property
    def gates(self) -> Gates:
        """What comes by a tunnel must pass these. Raises as `ingress` does."""
        return self.ingress("expose the file").gates

    def ingress(self, what: str) -> Ingress:
        """The way in, to do `what` there. Raises `ClosedError`, `AttachedError`.

        And `ListenerProcessError` where it is in a process of its own.
        """
        self.check_owner(what)
        if self.server is None:
            raise ListenerProcessError(
                f"This Lab listens in a process of its own, which does not {what}: "
                'use Lab(..., listener="thread") for that.'
            )
        return self.server.ingress

    @property
    def headline(self) -> str:
        """What the Lab is doing, in words."""
        if self.closed:
            return f"closed, {self.path.name} can still be read"
        if self.lost:
            return _LOST
        if self.server is not None:
            return f"listening, captures go to {self.path.name}"
        if self.remote is not None and self.remote.leads:
            return f"listening in process {self.remote.pid}, captures go to {self.path.name}"
        owner = owner_of(self.store)
        who = f"process {owner.pid} listens at {owner.url}" if owner else "another process listens"
        return f"attached to {self.path.name}: {who}, this Lab sees its rows"

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know: a sentence each. Cheap: looked at every other second."""
        if self.closed:
            return ()
        if clock.monotonic() >= self._examine_at:
            self._examine_at = clock.monotonic() + NOTICES_SECONDS
            with contextlib.suppress(CaptureFileError):  # the inbox says what is wrong with it
                self._look(VITALS_SECONDS)
        rules = self._ruled if self.server is None else self.server.ingress.rules.texts
        said = [f"{_LOST[0].upper()}{_LOST[1:]}."] * self.lost
        said += [f"This Lab {text} (lab.respond)." for text in rules]
        return (*said, *self._warned)

    def _look(self, timeout: float) -> None:
        health = self.health(timeout=timeout)
        self._warned, self._ruled = health.warnings, health.rules

    def health(self, *, lost_messages: int = 0, timeout: float = CHANNEL_ANSWER_SECONDS) -> Health:
        """How all this is; `timeout` in seconds, for a process that listens. `CaptureFileError`."""
        remote = self.remote
        listening = Listening(
            headline=self.headline,
            url=self.url,
            vitals=self._vitals(timeout),
            elsewhere=self.capturing is None,
            kernel_stalls=None if remote is None else remote.stalls.as_dict()["count"],
        )
        return examine(self.store, listening, self.pulling, lost_messages=lost_messages)

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

    def check_takes(self, mapping: Mapping) -> None:
        """Raise `MappingError` for a function where what listens is no part of this process."""
        called = [name for name, each in mapping.expressions().items() if callable(each)]
        if called and self.server is None:
            raise MappingError(
                f"{called[0]} is a function, which lives in this kernel, and another process "
                'listens: pass JMESPath (https://jmespath.org), or use Lab(..., listener="thread").'
            )

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
        if self.lost:
            raise ListenerProcessError(f"This Lab cannot {what}: {_LOST}.")
        if self.attached:
            raise AttachedError(
                f"This Lab is attached, and would {what} beside the process that listens: "
                "do it there, or end that process and open the Lab again."
            )


def _check_local(path: Path) -> None:
    if disks.on_network(path):
        raise CaptureFileError(
            f"{path} is on a network file system ({disks.file_system(path)}), where only one "
            'process can use it: choose a path on a local disk, or listener="thread".'
        )


def _listed(origins: Sequence[str]) -> list[str]:
    return [origins] if isinstance(origins, str) else list(origins)
