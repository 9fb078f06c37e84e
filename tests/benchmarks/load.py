"""The sender: keep-alive connections that each send as soon as they are answered.

Runs in a process of its own, on bare sockets, because it must not be the bottleneck. It ends by
itself, and takes every answer that it is owed: what it counts is what was acknowledged.

    python -m tests.benchmarks.load PORT --seconds 3
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import os
import re
import select
import socket
import time
from dataclasses import dataclass, field
from itertools import count

from tests.benchmarks.samples import headers, samples

WARM_UP_SECONDS = 0.3
PATIENCE_SECONDS = 20.0
READ_BYTES = 65_536
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_CLOSES = re.compile(rb"(?i)\r\nconnection: *close\r\n")
_DIGITS = b"0" * 12
_ID = re.compile(rb"\r\nwebhook-id: (\S+)")
_TIME = re.compile(rb"(\r\nwebhook-timestamp: )\d+")
_SIGNATURE = re.compile(rb"(\r\nwebhook-signature: v1,)\S+")


class Requests:
    """Request bytes without end. `signed`: with Standard Webhooks headers, each its own id.

    `secret` (`whsec_...`): with signatures that hold, too.
    """

    def __init__(self, *, signed: bool, secret: str | None = None, path: str = "/hooks") -> None:
        _, _, body = next(samples(0, 1))
        pairs = [pair for pair in headers(0, len(body)) if signed or "webhook" not in pair[0]]
        block = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        request = f"POST {path} HTTP/1.1\r\n{block}\r\n".encode() + body
        self._key = base64.b64decode(secret.removeprefix("whsec_")) if secret else None
        # Several runs against one server do not send the same ids.
        self._numbers = count(os.getpid() % 100_000 * 10_000_000)
        self._before, self._id, self._after = request.partition(_DIGITS if signed else b"\0")

    def next(self) -> bytes:
        if not self._id:
            return self._before
        request = b"%b%012d%b" % (self._before, next(self._numbers), self._after)
        return self._really_signed(request) if self._key else request

    def _really_signed(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        now = b"%d" % time.time()
        signed = b"%b.%b.%b" % (_ID.search(head)[1], now, body)
        code = base64.b64encode(hmac.digest(self._key, signed, "sha256"))
        head = _TIME.sub(rb"\g<1>" + now, head)
        return _SIGNATURE.sub(lambda found: found[1] + code, head) + b"\r\n\r\n" + body


@dataclass
class Counts:
    """`answered` in the measured `seconds`; `acknowledged` in all; `refused`: not with 2xx."""

    answered: int = 0
    seconds: float = 0.0
    acknowledged: int = 0
    refused: int = 0
    connects: int = 0
    _answer_bytes: int = field(default=0, repr=False)


class Load:
    """`connections` senders, for `seconds` after a warm-up or until `limit` requests are sent."""

    def __init__(self, port: int, requests: Requests, connections: int = 32) -> None:
        self._port = port
        self._requests = requests
        self._connections = connections
        self._poll = select.poll()
        self._sockets: dict[int, socket.socket] = {}
        self._partial: dict[int, bytes] = {}
        self._sent = 0
        self.counts = Counts()

    def run(self, seconds: float, limit: int | None = None) -> Counts:
        counts = self.counts
        begin = time.perf_counter()
        self._warm = begin if limit else begin + WARM_UP_SECONDS
        self._end = begin + (600.0 if limit else WARM_UP_SECONDS + seconds)
        self._limit = limit or 2**62
        for _ in range(self._connections):
            self._send(self._connect())
        while self._sockets:
            ready = self._poll.poll(PATIENCE_SECONDS * 1000)
            if not ready:
                raise TimeoutError(f"no answer within {PATIENCE_SECONDS} s")
            for number, _ in ready:
                self._receive(number)
        finished = time.perf_counter()
        counts.seconds = (finished if limit else self._end) - self._warm
        return counts

    def _connect(self) -> int:
        sock = socket.create_connection(("127.0.0.1", self._port), PATIENCE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = sock.fileno()
        self._sockets[number] = sock
        self._poll.register(number, select.POLLIN)
        self.counts.connects += 1
        return number

    def _send(self, number: int) -> None:
        self._sent += 1
        self._sockets[number].sendall(self._requests.next())

    def _receive(self, number: int) -> None:
        answer = self._sockets[number].recv(READ_BYTES)
        counts = self.counts
        if len(answer) == counts._answer_bytes and answer.startswith(b"HTTP/1.1 2"):
            self._answered(number, closing=False)
            return
        if not answer:
            raise ConnectionError("the connection ended without an answer")
        answer = self._partial.pop(number, b"") + answer
        head, end, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if not end or len(body) < int(length[1] if length else 0):
            self._partial[number] = answer
            return
        closing = bool(_CLOSES.search(head + b"\r\n")) or answer.startswith(b"HTTP/1.0")
        counts._answer_bytes = 0 if closing else len(answer)
        counts.refused += answer[9:10] != b"2"
        self._answered(number, closing=closing)

    def _answered(self, number: int, *, closing: bool) -> None:
        self.counts.acknowledged += 1
        now = time.perf_counter()
        if self._warm <= now < self._end:
            self.counts.answered += 1
        over = now >= self._end or self._sent >= self._limit
        if closing or over:
            self._poll.unregister(number)
            self._sockets.pop(number).close()
            number = -1 if over else self._connect()
        if not over:
            self._send(number)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--unsigned", action="store_true")
    parser.add_argument("--secret")
    parser.add_argument("--path", default="/hooks")
    asked = parser.parse_args()
    wanted = Requests(signed=not asked.unsigned, secret=asked.secret, path=asked.path)
    load = Load(asked.port, wanted)
    counts = load.run(asked.seconds, asked.limit)
    print(json.dumps({name: getattr(counts, name) for name in _SHOWN}))


_SHOWN = ("answered", "seconds", "acknowledged", "refused", "connects")

if __name__ == "__main__":
    main()
