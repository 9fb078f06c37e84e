"""Deliveries that show whether they were altered, and what their senders were told of them."""

import hashlib
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from tests.raw_http import Client, pairs, request

SENDERS = 4
METHODS = ("POST", "POST", "PUT", "PATCH", "DELETE")
QUERIES = ("", "a=%2F&b=c+d", "%E4")
SIZES = (0, 10, 1_000, 1_000, 30_000)
REST_SECONDS = 0.02
"""Before one tries again whose connection broke."""
NAME = "X-Name"


@dataclass(frozen=True)
class Shown:
    """A request, as far as it must arrive unaltered."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Its digest: all that was sent in an hour is held at once."""


def shown(
    method: str, path: str, query: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Shown:
    return Shown(method, path, query, tuple(headers), hashlib.sha256(body).digest())


@dataclass
class Ledger:
    """What was sent, and of what its sender got a 2xx. `broken`: how many got no answer."""

    sent: dict[str, Shown] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    broken: int = 0


class Senders:
    """Send to the URL all the time, from `with` to its end, through whatever breaks.

    `pause`: seconds at most between two deliveries of a sender.
    """

    def __init__(self, url: str, ledger: Ledger, seed: str, pause: float = 0.01) -> None:
        self._senders = [
            Sender(url, ledger, f"{seed} {number}", str(number), pause=pause)
            for number in range(SENDERS)
        ]

    def __enter__(self) -> Self:
        for each in self._senders:
            each.start()
        return self

    def __exit__(self, *error: object) -> None:
        for each in self._senders:
            each.over.set()
        for each in self._senders:
            each.join()


class Sender(threading.Thread):
    """One of them: its deliveries are like nobody else's."""

    def __init__(self, url: str, ledger: Ledger, seed: str, prefix: str, *, pause: float) -> None:
        super().__init__()
        self._url, self._ledger, self._prefix, self._pause = url, ledger, prefix, pause
        self._chance = random.Random(seed)
        self._count = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                with Client(self._url) as client:
                    while not self.over.is_set():
                        self._send(client)
            except (OSError, AssertionError, ValueError, IndexError):
                self._ledger.broken += 1
                self.over.wait(REST_SECONDS)

    def _send(self, client: Client) -> None:
        self._count += 1
        name = f"{self._prefix}-{self._count}"
        data = self._noted(client.path, name)
        answer = client.ask(data)
        if 200 <= answer.status < 300:
            self._ledger.acknowledged.add(name)
        self.over.wait(self._chance.uniform(0, self._pause))

    def _noted(self, base: str, name: str) -> bytes:
        """The bytes of a request, which stands in the ledger before it is sent."""
        chance = self._chance
        method, query = chance.choice(METHODS), chance.choice(QUERIES)
        headers = (f"{NAME}: {name}", "X-Twice: 1", "x-twice: \xe4")
        body = chance.randbytes(chance.choice(SIZES))
        length = (f"Content-Length: {len(body)}",) if body else ()
        self._ledger.sent[name] = shown(method, f"/{name}", query, pairs(*headers, *length), body)
        target = f"{base}{name}{'?' if query else ''}{query}"
        return request(method, target, headers, body)
