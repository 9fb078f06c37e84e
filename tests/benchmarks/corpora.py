"""Capture files of so many rows, written through the store and made once a run."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.registry import Run
from tests.benchmarks.samples import samples
from webhooklab import clock
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter
from webhooklab.records import Arrival, Request
from webhooklab.store import Store

CHUNK_ROWS = 500
"""So few that what waits to be stored does not count as a kernel's memory."""


def corpus(run: Run, size: int) -> Path:
    """A capture file of `size` rows."""
    path = run.folder / f"corpus-{size}.db"
    if not path.exists():
        store = Store(path)
        fill(store, 0, size)
        store.close()
    return path


def fill(store: Store, first: int, count: int) -> None:
    """Store `count` deliveries, number `first` and following, as if they had just come."""
    for start in range(first, first + count, CHUNK_ROWS):
        store.append(arrivals(start, min(CHUNK_ROWS, first + count - start)))


def arrivals(first: int, count: int) -> list[Arrival]:
    interpret = Interpreter().interpret
    made = []
    for path, headers, body in samples(first, count):
        request = Request(
            received_at=clock.now_us(),
            method="POST",
            target=path,
            headers=Headers(headers),
            body=body,
            remote="127.0.0.1",
        )
        made.append(Arrival(request, interpret(request), 200))
    return made
