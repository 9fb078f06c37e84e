"""Listening for a capture file: at which port, under which URL, and who does it.

The port is remembered in the file, and on an address that others can reach the URL's secret segment
beside it, in the user's state folder: a restarted kernel answers at the same URL, and who is given
the file, or has given it, does not know it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import socket
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from webhooklab import clock
from webhooklab.answering import Choice
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import MAX_BODY_BYTES, PORT_RELEASE_SECONDS
from webhooklab.errors import PortTakenError
from webhooklab.heartbeat import Heartbeat, Reach
from webhooklab.ingress import Ingress
from webhooklab.listener import Listener, bind
from webhooklab.mapping import Interpreter
from webhooklab.measures import Stalls
from webhooklab.redaction import MASK
from webhooklab.secret import LISTENER, Secret, kept_gates, kept_secret
from webhooklab.store import Store

_OWNER: Final = "listener"
_PORT: Final = "port"
_DIGITS: Final = re.compile("[0-9]{1,5}")
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Owner:
    """Who listens for a capture file. `since` is in microseconds since the epoch."""

    pid: int
    url: str
    since: int


class Server:
    """A listener with its loop, for one store. Listens from construction to `stop`."""

    def __init__(
        self,
        store: Store,
        interpreter: Interpreter,
        *,
        host: str,
        port: int | None,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_origins: Sequence[str] = (),
        handshakes: bool = True,
    ) -> None:
        self._store = store
        self._secret = "" if _is_loopback(host) else Secret(store.path, LISTENER).text
        segment = self._secret and f"/{self._secret}"
        sockets = _bind(store, host, port)
        with contextlib.ExitStack() as undo:
            for each in sockets:
                undo.callback(each.close)
            self.port: int = sockets[0].getsockname()[1]
            self.url = f"http://{_shown_host(host)}:{self.port}{segment}/"
            self._remember()
            self._background = BackgroundLoop("webhooklab-listener").start()
            undo.callback(self._background.stop)
            self.ingress = Ingress(
                store,
                interpreter,
                self._background.loop,
                max_body_bytes=max_body_bytes,
                allow_origins=allow_origins,
                handshakes=handshakes,
            )
            self.ingress.checks.base_url = self.url
            self._set_gates()
            self._listener = Listener(self.ingress, self._background, sockets, base_path=segment)
            self._listener.start()
            undo.callback(self._listener.stop)
            self.heartbeat = Heartbeat(store, self._reach)
            self.heartbeat.start(self._background)
            self.stalls = Stalls()
            self.stalls.watch(self._background)
            undo.pop_all()

    def _set_gates(self) -> None:
        for host, gate in kept_gates(self._store.path).items():
            self.ingress.gates.set(host, gate)

    def _remember(self) -> None:
        self._store.remember(_PORT, str(self.port))
        url = self.url.replace(self._secret, MASK) if self._secret else self.url
        owner = Owner(os.getpid(), url, clock.now_us())
        self._store.remember(_OWNER, json.dumps(asdict(owner)))

    def choose(self, path: str) -> Choice | None:
        """What a delivery to `path` gets where no function can be asked; not from the loop."""
        return self._background.call(lambda: self.ingress.rules.choose(path, made=False))

    def settle(self) -> None:
        """Return when all that came in before has been committed, and `listened` says so.

        Raises `CaptureFileError` when that cannot be written down.
        """
        self.heartbeat.beat()

    def _reach(self) -> Reach:
        at, until = self._background.call(self._submit)
        self._store.append([])
        # Whatever could not be stored has been counted by the loop's next turn.
        return Reach(at, until, self._background.call(lambda: self.ingress.lost))

    def _submit(self) -> tuple[int, int]:
        """Have the store given all that came; now, and up to when nothing is still coming."""
        self.ingress.flush()
        now, since = clock.now_us(), self._listener.receiving_since
        return now, now if since is None else min(now, since - 1)

    def stop(self) -> None:
        """Free the port. What is being committed is still answered."""
        try:
            self.heartbeat.stop()
            self._listener.stop()
        finally:
            self._background.stop()


def owner_of(store: Store) -> Owner | None:
    """Who listened last for this file, as it is remembered; None if nobody ever did."""
    with contextlib.suppress(ValueError, TypeError, KeyError):  # a file of others says anything
        said = json.loads(store.recall(_OWNER) or "null")
        url = str(said["url"]).replace(MASK, kept_secret(store.path, LISTENER) or MASK)
        return Owner(int(said["pid"]), url, int(said["since"]))
    return None


def _bind(store: Store, host: str, port: int | None) -> list[socket.socket]:
    if port is not None:
        # The earlier kernel of this notebook may still be leaving the port.
        return bind(host, port, patience=PORT_RELEASE_SECONDS if port else 0.0)
    remembered = _remembered_port(store)
    try:
        return bind(host, remembered, patience=PORT_RELEASE_SECONDS if remembered else 0.0)
    except PortTakenError:
        if not remembered:
            raise
        sockets = bind(host, 0)
        warnings.warn(
            f"Port {remembered}, which {store.path.name} used last, is taken by another program. "
            f"Listening on port {sockets[0].getsockname()[1]} instead: tell the provider the new "
            "URL, or end that program and open the Lab again.",
            stacklevel=9,  # the cell that made the Lab
        )
        return sockets


def _remembered_port(store: Store) -> int:
    """The port that the file used last, whoever wrote it; 0 where that is none."""
    said = store.recall(_PORT) or ""
    port = int(said) if _DIGITS.fullmatch(said) else 0
    return port if port <= _MAX_PORT else 0


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _shown_host(host: str) -> str:
    """The host for a URL that others can use: an address of this machine for "all addresses"."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        return _own_address()
    return f"[{host}]" if ":" in host else host


def _own_address() -> str:
    # Connecting a UDP socket sends nothing; it only picks the address that would be used
    # (192.0.2.1 is reserved for documentation, RFC 5737).
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
