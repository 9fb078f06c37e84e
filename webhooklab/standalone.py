"""The process that listens for a Lab, so that nothing that its kernel does delays a sender.

Started by `webhooklab.processes.Remote`; told what to do by the Labs that are connected to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from webhooklab import clock
from webhooklab.defaults import FOLLOW_SLICE_SECONDS
from webhooklab.errors import AttachedError, ListenerProcessError, WebhookLabError
from webhooklab.parts import Options, Parts
from webhooklab.processes import Entry, Hub, Peer, Registry
from webhooklab.server import Server


class Service:
    """Listens for a capture file, and does what connected Labs ask, until `stopped` is set."""

    def __init__(self, path: Path, options: Options) -> None:
        self.stopped = threading.Event()
        self._leader: Peer | None = None
        self._lock = threading.Lock()
        with contextlib.ExitStack() as undo:
            self._parts = Parts(path, options)
            undo.callback(self._parts.close)
            self._server = self._owned()
            self._hub = Hub(self._serve, self._left)
            undo.callback(self._hub.close)
            self._registered()
            undo.callback(Registry().remove, path, os.getpid())
            self._closing = undo.pop_all()
        threading.Thread(target=self._tell_of_rows, daemon=True).start()

    def _owned(self) -> Server:
        if self._parts.server is None:
            raise AttachedError(
                f"{self._parts.headline}: close the Lab there, or end that program, first."
            )
        return self._parts.server

    def _registered(self) -> None:
        self.entry = Entry(
            file=str(self._parts.path),
            pid=os.getpid(),
            url=self._server.url,
            since=clock.now_us(),
            address=self._hub.address,
            key=self._hub.key,
        )
        if not Registry().add(self.entry):
            raise ListenerProcessError(
                "The listener's process cannot be listed in the user's state folder, so no Lab "
                'would find it: see to that folder, or use listener="thread".'
            )

    def run(self) -> None:
        """Listen until asked to stop."""
        with self._closing:
            self.stopped.wait()

    def _tell_of_rows(self) -> None:
        store, head = self._parts.store, self._parts.store.head
        while not self.stopped.is_set():
            now = store.wait_beyond(head, FOLLOW_SLICE_SECONDS)
            if now > head:
                head = now
                self._hub.tell("rows", head=head)

    # What Labs ask for

    def _serve(self, peer: Peer, name: str, arguments: dict[str, Any]) -> Any:
        calls = {
            "lead": lambda: self._lead(peer),
            "status": self._status,
            "settle": self._server.settle,
            "reload_mappings": self._parts.reload_mappings,
            "stop": self.stopped.set,
        }
        return calls[name](**arguments)

    def _lead(self, peer: Peer) -> bool:
        with self._lock:
            if self._leader is None:
                self._leader = peer
            return self._leader is peer

    def _left(self, peer: Peer) -> None:
        with self._lock:
            if self._leader is peer:
                self._leader = None

    def _status(self) -> dict[str, Any]:
        return {"rows": self._parts.store.count(), "labs": len(self._hub.peers)}


def main() -> None:
    """Read one line of JSON (path, options, outlives), say one (url, or error), and listen."""
    told = json.loads(sys.stdin.readline())
    try:
        service = Service(Path(told["path"]), Options(**told["options"]))
    except WebhookLabError as error:
        _say({"kind": type(error).__name__, "error": str(error)})
        return
    signal.signal(signal.SIGTERM, lambda *_: service.stopped.set())
    if not told["outlives"]:
        threading.Thread(target=_until_alone, args=(service,), daemon=True).start()
    _say({"url": service.entry.url})
    service.run()


def _say(answer: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.stdout.close()
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - what nobody reads, for good


def _until_alone(service: Service) -> None:
    """The kernel holds the other end of our input: it closes when the kernel has ended."""
    sys.stdin.read()
    service.stopped.set()
