"""A target for what is sent on: a raw socket server that keeps every byte, and answers as told."""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from webhooklab.headers import parse_header_block
from webhooklab.sending import Retry

HANG = b"hang"
RESET = b"reset"
SILENT = b""
"""Close without an answer."""
QUICK = Retry(
    retries=3,
    backoff_seconds=0.01,
    max_backoff_seconds=0.02,
    max_wait_seconds=0.2,
    unreachable_seconds=0.05,
)
"""Waits that a test need not wait for."""


@dataclass(frozen=True)
class Got:
    """One request, as it came."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return list(parse_header_block(self.head)[2])

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def key(self) -> str:
        return self.one("webhooklab-idempotency-key")


def ok(body: bytes = b"taken", status: int = 200, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


Answering = Callable[[Got], bytes]


class Target:
    """`answer(got)` gives the bytes to send; `HANG` sends nothing, `RESET` resets."""

    def __init__(self, answer: Answering | bytes | None = None, port: int = 0) -> None:
        self.answer = answer if callable(answer) else lambda _: ok() if answer is None else answer
        self.got: list[Got] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        target = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                target._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def bodies(self) -> list[bytes]:
        return [got.body for got in self.got]

    def _serve(self, connection: socket.socket) -> None:
        got = _read(connection)
        if got is None:
            return
        with self._lock:
            self.got.append(got)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            answer = self.answer(got)
        finally:
            with self._lock:
                self.at_once -= 1
        if answer == HANG:
            self._closing.wait(20)
        elif answer == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):  # the client may have had enough
                connection.sendall(answer)


def _read(connection: socket.socket) -> Got | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(
        {name.lower(): value for name, value in parse_header_block(head)[2]}.get(
            "content-length", 0
        )
    )
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return Got(head, body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
