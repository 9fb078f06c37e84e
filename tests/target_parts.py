"""A target for what is sent on: it keeps every byte, and answers as told."""

from collections.abc import Callable

from tests.raw_server import Got, RawServer, raw
from webhooklab.sending import Retry

QUICK = Retry(
    retries=3,
    backoff_seconds=0.01,
    max_backoff_seconds=0.02,
    max_wait_seconds=0.2,
    unreachable_seconds=0.05,
)
"""Waits that a test need not wait for."""


def ok(body: bytes = b"taken", status: int = 200, *headers: str) -> bytes:
    return raw(status, body, *headers)


class Target(RawServer):
    """`answer`: the bytes to send, or a function of what it got."""

    def __init__(self, answer: Callable[[Got], bytes] | bytes | None = None, port: int = 0) -> None:
        given = ok() if answer is None else answer
        super().__init__(given if callable(given) else lambda _: given, port)
        self.url += "hooks"

    @property
    def bodies(self) -> list[bytes]:
        return [got.body for got in self.got]
