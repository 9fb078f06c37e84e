"""A real HTTP server that keeps every byte it gets, and answers byte for byte what it is told."""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from webhooklab.headers import parse_header_block

HANG = b"hang"
RESET = b"reset"
SILENT = b""
"""Close without an answer."""


@dataclass(frozen=True)
class Got:
    """One request, as it came."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return list(parse_header_block(self.head))

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.pairs}

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def key(self) -> str:
        return self.one("webhooklab-idempotency-key")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True


class RawServer:
    """`answer(got)` gives the bytes to send; `HANG` sends nothing, `RESET` resets."""

    def __init__(self, answer: Callable[[Got], bytes], port: int = 0) -> None:
        self.answer = answer
        self.got: list[Got] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), lambda connection, *_: self._serve(connection))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

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
    """A request; None where the client leaves before its end."""
    with connection.makefile("rb") as reader:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                return None
            head += line
        got = Got(head[:-4], b"")
        length = int(got.headers.get("content-length", 0))
        body = reader.read(length)
        return Got(got.head, body) if len(body) == length else None


def raw(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer; `length` is a Content-Length that need not be true."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {size}", "Connection: close", *headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
