"""The process that listens for a Lab, so that nothing that its kernel does delays a sender.

Started by `webhooklab.processes.Remote`, or by hand (`webhooklab listen`); told what to do by the
Labs that are connected to it. What they give it is in its memory only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webhooklab import clock
from webhooklab.answering import Choice
from webhooklab.capturing import Capturing, Options, options_from
from webhooklab.defaults import (
    FOLLOW_SLICE_SECONDS,
    KERNEL_GONE_SECONDS,
    LOCK_LOOK_SECONDS,
    PROCESS_START_SECONDS,
    ROWS_TOLD_SECONDS,
)
from webhooklab.errors import (
    AttachedError,
    ExposureError,
    ListenerProcessError,
    WebhookLabError,
)
from webhooklab.gates import Gate
from webhooklab.mapping import Mappings
from webhooklab.ownership import Ownership
from webhooklab.processes import Entry, Hub, Leading, Orders, Peer, Registry
from webhooklab.retention import parse_keep
from webhooklab.server import owner_of
from webhooklab.store import Store


class Service:
    """Listens for a capture file, and does what connected Labs ask, until `stopped` is set.

    `outlives` False: ends when the Lab that leads has gone, and none follows. `terminal`: started
    by hand. Raises what keeps it from listening.
    """

    def __init__(
        self, path: Path, options: Options, *, outlives: bool = True, terminal: bool = False
    ) -> None:
        self.stopped = threading.Event()
        self._path = path
        self._options = options
        self._outlives = outlives
        self._alone: threading.Timer | None = None
        self.leading = Leading(self._on_change_of_leader)
        self._ownership = Ownership(path)
        with contextlib.ExitStack() as undo:
            # The last thing to end is the connection with the Labs: it tells them that all has.
            self._hub = Hub(self._serve, self.leading.leave)
            undo.callback(self._hub.close)
            undo.callback(Registry().remove, path, os.getpid())
            self.store = Store(path)
            undo.callback(self.store.close)
            self._own()
            undo.callback(self._ownership.release)
            undo.callback(self.store.close)
            self._mappings = Mappings(self.store)
            self.capturing = Capturing(self.store, self._mappings, options)
            undo.callback(self.capturing.stop)
            server = self.capturing.server
            self._orders = Orders(
                self.leading, server.ingress.rules, server.ingress.checks, self._without_function
            )
            self.leading.takes("keep", self._keep)
            self.leading.takes("gate", self._set_gate)
            self._register(terminal=terminal)
            undo.callback(self._shut)
            self.closing = undo.pop_all()
        self._watch_leader(PROCESS_START_SECONDS)
        threading.Thread(target=self._tell_of_rows, daemon=True).start()

    def _shut(self) -> None:
        """No URL is to lead to our port when somebody else may have it."""
        with contextlib.suppress(ImportError, ExposureError):  # no Jupyter: it has no URL
            from webhooklab.server_extension.exposing import shut  # noqa: PLC0415

            shut(self._path, self.capturing.behind.key)

    def _own(self) -> None:
        if not self._ownership.acquire():
            owner = owner_of(self.store)
            who = f"process {owner.pid} at {owner.url}" if owner else "another process"
            raise AttachedError(
                f"{self._path.name} has a listener already: {who}. Close the Lab there, or end it "
                "(`webhooklab status` shows how), first."
            )

    def _register(self, *, terminal: bool) -> None:
        self.entry = Entry(
            file=str(self._path),
            pid=os.getpid(),
            url=self.capturing.server.url,
            since=self.capturing.since,
            address=self._hub.address,
            key=self._hub.key,
            terminal=terminal,
        )
        if not Registry().add(self.entry):
            raise ListenerProcessError(
                "The listener's process cannot be listed in the user's state folder, so no Lab "
                'would find it: see to that folder, or use listener="thread".'
            )

    def run(self) -> None:
        """Listen until asked to stop, or until somebody has taken the lock file away."""
        with self.closing:
            while not self.stopped.wait(LOCK_LOOK_SECONDS):
                if not self._ownership.still_ours():
                    self.stopped.set()

    def _tell_of_rows(self) -> None:
        head = self.store.head
        while not self.stopped.is_set():
            now = self.store.wait_beyond(head, FOLLOW_SLICE_SECONDS)
            if now > head:
                head = now
                self._hub.signal("rows")
                clock.pause(ROWS_TOLD_SECONDS)

    # Who leads

    def _on_change_of_leader(self) -> None:
        if self.leading.pid is None:
            self._orders.forget_functions()
        self._watch_leader(KERNEL_GONE_SECONDS)

    def _watch_leader(self, seconds: float) -> None:
        """A process for one kernel ends so long after that kernel did, if no other leads."""
        if self._alone is not None:
            self._alone.cancel()
        if self.leading.pid is None and not self._outlives:
            self._alone = threading.Timer(seconds, self._end_if_alone)
            self._alone.daemon = True
            self._alone.start()

    def _end_if_alone(self) -> None:
        if self.leading.pid is None and not self._outlives:
            self.stopped.set()

    def _lead(self, peer: Peer, pid: int, options: dict[str, Any], *, outlives: bool) -> Any:
        if not self.leading.begin(peer, pid):
            return {"leads": False, "differs": [], "checked": []}
        wished = options_from(options)
        differs = self._differs(wished)
        if differs:
            self.leading.leave(peer)
        else:
            self._outlives = outlives
            if wished.keep is not None:
                self.capturing.retention.keep = wished.keep
        return {"leads": not differs, "differs": differs, "checked": self._orders.checked}

    def _differs(self, wished: Options) -> list[str]:
        """What this listener was started with that a Lab asks otherwise for. No port is any."""
        ours = self._options
        pairs = {
            "host": (wished.host, ours.host),
            "max_body_bytes": (wished.max_body_bytes, ours.max_body_bytes),
            "allow_origins": (_origins(wished), _origins(ours)),
            "handshakes": (wished.handshakes, ours.handshakes),
        }
        found = [f"{name}={mine!r}" for name, (asked, mine) in pairs.items() if asked != mine]
        port = self.capturing.server.port
        if wished.port not in (None, port, ours.port):
            found.append(f"port={port}")
        return found

    def _without_function(self, seq: int) -> Choice | None:
        """What a delivery gets where no function can be asked."""
        delivery = self.store.delivery(seq)
        return None if delivery is None else self.capturing.server.choose(delivery.path)

    def _keep(self, value: Any) -> None:
        self.capturing.retention.keep = parse_keep(value)

    def _set_gate(self, given: dict[str, Any]) -> None:
        host = given.pop("host")
        self.capturing.server.ingress.gates.set(host, Gate(**given))

    # What Labs ask for

    def _serve(self, peer: Peer, name: str, arguments: dict[str, Any]) -> Any:
        if self.stopped.is_set():
            raise ListenerProcessError("The process that listens is just ending.")
        calls: dict[str, Callable[..., Any]] = {
            "lead": lambda **asked: self._lead(peer, **asked),
            "leave": lambda: self.leading.leave(peer),
            "give": lambda **given: self.leading.give(peer, **given),
            "rule": self._orders.state,
            "status": self._status,
            "behind": lambda: asdict(self.capturing.behind),
            "vitals": self.capturing.vitals,
            "settle": self.capturing.server.settle,
            "reload_mappings": self.capturing.reload_mappings,
            "stop": self.stopped.set,
        }
        return calls[name](**arguments)

    def _status(self) -> dict[str, Any]:
        return {"leader": self.leading.pid}


def _origins(options: Options) -> list[str]:
    return sorted(set(options.told()["allow_origins"]))


def main() -> None:
    """Read one line of JSON (`starting.Wish`), say one (url and warnings, or error), and listen."""
    told = json.loads(sys.stdin.readline())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        try:
            options = options_from(told["options"])
            service = Service(Path(told["path"]), options, outlives=told["outlives"])
        except WebhookLabError as error:
            _say({"kind": type(error).__name__, "error": str(error)})
            return
    signal.signal(signal.SIGTERM, lambda *_: service.stopped.set())
    _say({"url": service.entry.url, "warnings": [str(each.message) for each in warned]})
    service.run()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.stdout.close()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - what nobody reads, for good
