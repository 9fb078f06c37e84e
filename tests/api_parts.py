"""A real HTTP server that answers byte for byte what it is told, however wrong."""

import contextlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.waiting import until
from webhooklab.pulling import Limits, Poller, Pulling
from webhooklab.store import Store

HANG = b"hang"
RESET = b"reset"
QUICK = Limits(
    silence_seconds=0.4,
    answer_seconds=1.0,
    max_answer_bytes=100_000,
    attempts=2,
    backoff_seconds=0.01,
    max_backoff_seconds=0.02,
    max_wait_seconds=1.5,
    max_pages=20,
)
"""Limits that a test need not wait for."""


@dataclass(frozen=True)
class Asked:
    target: str
    headers: dict[str, str]


class Api:
    """`answer(asked)` gives the bytes to send; `HANG` sends nothing, `RESET` resets."""

    def __init__(self, answer: Callable[[Asked], bytes]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    def _serve(self, connection: socket.socket) -> None:
        asked = _read(connection)
        if asked is None:
            return
        with self._lock:
            self.asked.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.answer(asked)
        finally:
            with self._lock:
                self.at_once -= 1
        if answer == HANG:
            self._closing.wait(10)
        elif answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):  # the client may have had enough
                connection.sendall(answer)

    def _handler(api) -> type[socketserver.BaseRequestHandler]:  # noqa: N805 - `self` is another
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                api._serve(self.request)

        return Handler


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    line, *fields = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
    return Asked(line.split(" ")[1], headers)


def raw(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer; `length` is a Content-Length that need not be true."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {size}", "Connection: close", *headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def shown(data: Any, *headers: str, status: int = 200) -> bytes:
    """JSON."""
    return raw(status, json.dumps(data).encode(), "Content-Type: application/json", *headers)


def always(answer: bytes) -> Callable[[Asked], bytes]:
    return lambda _: answer


@contextlib.contextmanager
def pulling_in(folder: Path, limits: Limits = QUICK, **options: Any) -> Iterator[Pulling]:
    """A capture file, and all that pulls for it."""
    store = Store(folder / "captures.db")
    pulling = Pulling(store, limits=limits, **options)
    try:
        yield pulling
    finally:
        pulling.stop()
        store.close()


def started(pulling: Pulling, url: str, **options: Any) -> Poller:
    """A poller after its first poll; the next ones when they are asked for."""
    poller = pulling.poll(url, **{"every": 3600.0, **options})
    until(lambda: poller.stats["polls"] + poller.stats["failed"])
    return poller


def states(pulling: Pulling) -> list[tuple[str, Any]]:
    """The snapshots as pairs of id and state, in order; None for deleted."""
    frame = pulling.observations.snapshots()
    return [
        (row.entity_id, None if row.deleted else row.state) for row in frame.itertuples(index=False)
    ]


def last(pulling: Pulling) -> Any:
    """The newest poll."""
    return pulling.observations.polls().iloc[-1]
