"""HTTP by hand, over a real socket: nothing between the test and the bytes."""

import socket
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection. `send` bytes, read `answer`s; `rest` is all until the server closes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.path = parts.path
        self.socket = socket.create_connection((parts.hostname, parts.port), TIMEOUT_SECONDS)
        self._reader = self.socket.makefile("rb")

    def send(self, data: bytes) -> "Client":
        self.socket.sendall(data)
        return self

    def ask(self, data: bytes) -> Answer:
        return self.send(data).answer()

    def answer(self, *, bodiless: bool = False) -> Answer:
        line = self._reader.readline()
        assert line, "the server closed the connection without an answer"
        headers = {}
        while (field := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if bodiless else int(headers.get("content-length", 0))
        return Answer(int(line.split()[1]), headers, self._reader.read(length))

    def rest(self) -> bytes:
        """What comes until the server closes; a reset is an end like any other."""
        data = b""
        try:
            while more := self._reader.read1(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def finish_sending(self) -> "Client":
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()
        self.socket.close()


def request(
    method: str = "POST", target: str = "/", headers: tuple[str, ...] = (), body: bytes = b""
) -> bytes:
    """A request with the headers given, Host, and Content-Length if there is a body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: test", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def post(url: str, body: bytes = b"{}", path: str = "", headers: tuple[str, ...] = ()) -> Answer:
    """POST to the URL and the path below it, on a connection of its own."""
    with Client(url) as client:
        return client.ask(request(target=client.path + path, headers=headers, body=body))


def pairs(*lines: str) -> tuple[tuple[str, str], ...]:
    """Header lines as the pairs that a delivery has, Host first."""
    return (("Host", "test"), *((line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in lines))
