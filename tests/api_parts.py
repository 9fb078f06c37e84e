"""An API to pull from that answers what it is told, however wrong."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.raw_server import Got, RawServer, raw
from tests.waiting import until
from webhooklab.pulling import Limits, Poller, Pulling
from webhooklab.store import Store

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


class Api(RawServer):
    """`answer(asked)` gives the bytes to send."""

    @property
    def asked(self) -> list[Got]:
        return self.got

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]


def shown(data: Any, *headers: str, status: int = 200) -> bytes:
    """JSON."""
    return raw(status, json.dumps(data).encode(), "Content-Type: application/json", *headers)


def entity_asked_for(asked: Got) -> bytes:
    """The entity whose id ends the path, in its second version."""
    return shown({"id": asked.target.rpartition("/")[2], "v": 2})


def always(answer: bytes) -> Callable[[Got], bytes]:
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
