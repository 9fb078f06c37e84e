"""What stands behind a Lab: the store, what listens, what pulls, what sends on, what looks."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from webhooklab import forks, reach
from webhooklab.answering import FORWARD, Rule, Rules
from webhooklab.capturing import Options
from webhooklab.checking import Checks
from webhooklab.errors import (
    AttachedError,
    ClosedError,
    ListenerProcessError,
    MappingError,
)
from webhooklab.exposure import Behind, Exposures
from webhooklab.following import Followers
from webhooklab.gates import TakesGates
from webhooklab.listening import LOST, Elsewhere, Listening
from webhooklab.lookout import Lookout
from webhooklab.mapping import Mapping, Mappings
from webhooklab.processes import RemoteRules
from webhooklab.pulling import Pulling
from webhooklab.records import Delivery
from webhooklab.refusals import refusal
from webhooklab.sending import Forward, Route, Sending, by_verdict, check_no_loop
from webhooklab.server import Server
from webhooklab.store import Store
from webhooklab.views import Views

_TO_THE_CELL: Final = 4
"""Frames between a warning here and the cell that made the Lab."""
_HOW_TO_LEAD: Final = (
    "To have it listen for this Lab, close the Lab there, or end that program: `webhooklab status` "
    'lists it. A process of its own is joined with listener="process", unless another Lab leads it.'
)


class Parts:
    """The parts of a Lab for the capture file `path`, opened in order.

    `close` closes in reverse what was opened, as does an opening that fails half-way.
    """

    def __init__(self, path: Path, options: Options, elsewhere: Elsewhere | None = None) -> None:
        self.path = path
        self.closed = False
        self.closing = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._leaving = False
        self.parent: int | None = None
        """The process whose Lab this is a copy of, in a fork of it; None: it is ours."""
        self._pid = os.getpid()
        forks.in_child(self._forked)
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._open(options, elsewhere)
            # First: senders hear of it from what is there.
            self.closing.callback(self._end_exposures)
            undo.pop_all()

    def _open(self, options: Options, elsewhere: Elsewhere | None) -> None:
        self.store = Store(self.path)
        self.closing.callback(self.store.close)
        self.views = Views(self.store)
        self.mappings = Mappings(self.store)
        self.pulling = Pulling(self.store, refuse=partial(self._refusal, options.allow_origins))
        self.closing.callback(self.pulling.stop)
        self.followers = Followers(self.store)
        self.closing.callback(self.followers.stop)
        self.exposures = Exposures()
        self.listening = Listening(self.store, self.mappings, options, elsewhere)
        self.store.address = lambda: self.listening.url
        self.closing.callback(self._stop_listening)
        # Stopped while the file can still be written: how far it is belongs there.
        self.sending = Sending(
            self.store, refuse=partial(self._refusal_to_send, options.allow_origins)
        )
        self.closing.callback(self.sending.stop)
        self.lookout = Lookout(
            self.store, self.listening, self.exposures, self.pulling, self.sending
        )
        if self.leads:
            reach.take_up(self.to_expose(None, reach.Access()))
        else:
            warnings.warn(f"{self.headline}. {_HOW_TO_LEAD}", stacklevel=_TO_THE_CELL)

    def to_expose(self, base_url: str | None, access: reach.Access) -> reach.Wish:
        """What an exposure is made from. Raises as `behind` does."""
        return reach.Wish(
            file=self.path,
            behind=self.behind,
            gates=self.gates,
            exposures=self.exposures,
            store=self.store,
            base_url=base_url,
            access=access,
        )

    def _end_exposures(self) -> None:
        """What outlives this kernel is reached while there is none."""
        self.exposures.close(staying=self.listening.goes_on(leaving=self._leaving))

    def _stop_listening(self) -> None:
        self.listening.close(leaving=self._leaving)

    def _refusal(
        self, allow_origins: Sequence[str], delivery: Delivery, *, unverified: bool
    ) -> str | None:
        """Why nothing is sent out for a delivery."""
        checks = self.listening.checks
        checked = checks is not None and checks.concern(delivery.path)
        return refusal(
            delivery, allow_origins=allow_origins, must_be_valid=checked and not unverified
        )

    def _refusal_to_send(
        self, allow_origins: Sequence[str], delivery: Delivery, *, unverified: bool
    ) -> str | None:
        """Why a delivery is not sent on: its verdict also counts where nobody checks any more."""
        why = self._refusal(allow_origins, delivery, unverified=unverified)
        return why or by_verdict(delivery, unverified=unverified, allow_origins=allow_origins)

    def forward(self, url: str, **options: Any) -> Forward:
        """`lab.forward`: the arguments are those of `Route`. Refuses to go round in circles."""
        route = Route(url=url, **options)
        current = self.exposures.current
        check_no_loop(url, self.url, (current.url or "") if current is not None else "")
        forward = self.sending.forward(route)
        if forward.maker is not None:
            rule = Rule(route.path, maker=forward.maker, name=f"forward:{forward.name}", by=FORWARD)
            forward.on_stop(self.rules.add(rule).stop)
        return forward

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

    def _forked(self) -> None:
        """In a forked child this is a copy that closes nothing: what it would close is ours."""
        self.parent, self.closed = self._pid, True
        self._lock = threading.Lock()
        self._inherited, self.closing = self.closing, contextlib.ExitStack()
        if hasattr(self, "store"):
            self.views = Views(self.store)

    @property
    def server(self) -> Server | None:
        """What listens here; None when nothing does."""
        return self.listening.server

    @property
    def rules(self) -> Rules | RemoteRules:
        """What senders get, as this Lab says. Raises `AttachedError` where it has no say."""
        self.check_owner("answer")
        assert self.listening.rules is not None  # who leads has them
        return self.listening.rules

    @property
    def checks(self) -> Checks:
        """By which secrets signatures are checked. Raises `AttachedError` as `rules` does."""
        self.check_owner("check signatures")
        assert self.listening.checks is not None  # who leads has them
        return self.listening.checks

    @property
    def leads(self) -> bool:
        """Whether what listens, here or elsewhere, does what we say."""
        return not self.closed and self.listening.leads

    @property
    def attached(self) -> bool:
        """Whether others decide what listens for the file, and we only look on."""
        return not (self.leads or self.closed or self.listening.lost)

    @property
    def url(self) -> str:
        """Where deliveries are taken: here, or by the process that listens; "" if nobody does."""
        return self.listening.url

    @property
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to. Raises `ClosedError`, `AttachedError`."""
        self.check_owner("expose the file")
        return self.listening.behind

    @property
    def gates(self) -> TakesGates:
        """What comes by a tunnel must pass these. Raises as `behind` does."""
        self.check_owner("expose the file")
        return self.listening.gates

    @property
    def headline(self) -> str:
        """What the Lab is doing, in words."""
        return self.listening.headline

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
        if self.parent is not None:
            raise ClosedError(
                f"This Lab is that of process {self.parent}, of which this one is a fork: use it "
                "there."
            )
        if self.closed:
            raise ClosedError(
                f"This Lab is closed; {self.path.name} can still be read. "
                "Open it again with Lab(path)."
            )

    def check_owner(self, what: str) -> None:
        """Raise `AttachedError` where another process listens: two would do `what`."""
        self.check_open()
        if self.listening.lost:
            raise ListenerProcessError(f"This Lab cannot {what}: {LOST}.")
        if self.attached:
            raise AttachedError(
                f"This Lab is attached, and would {what} beside the process that listens: "
                "do it there, or end that process and open the Lab again."
            )
