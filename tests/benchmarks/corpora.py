"""Capture files of so many rows, written through the store and made once a run."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.registry import Run
from tests.benchmarks.samples import BODY_BYTES, samples
from webhooklab import clock
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter
from webhooklab.records import Arrival, Request
from webhooklab.store import Store

CHUNK_ROWS = 500
"""So few that what waits to be stored does not count as a kernel's memory."""
COMMITS_PER_SECOND = 50


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


def flood(store: Store, count: int) -> None:
    """Store `count` more, the same ones again and again: four times as fast as making each.

    Their events have no id, or all would be duplicates.
    """
    made = [_without_id(each) for each in arrivals(0, CHUNK_ROWS)]
    for start in range(0, count, CHUNK_ROWS):
        store.append(made[: count - start])


def _without_id(arrival: Arrival) -> Arrival:
    said = arrival.interpretation
    assert said.event is not None
    event = replace(said.event, event_id=None)
    return replace(arrival, interpretation=replace(said, event=event))


def fill_paced(store: Store, count: int, body_bytes: int, per_second: int) -> None:
    """Store `count` more deliveries with longer bodies, in time as a listener would."""
    begun, first, step = clock.monotonic(), store.head, max(1, per_second // COMMITS_PER_SECOND)
    for done in range(0, count, step):
        time.sleep(max(0.0, begun + done / per_second - clock.monotonic()))
        store.append(arrivals(first + done, min(step, count - done), body_bytes))


def arrivals(first: int, count: int, body_bytes: int = BODY_BYTES) -> list[Arrival]:
    """Deliveries that have just come, their bodies of so many bytes or a few more."""
    interpret = Interpreter().interpret
    made = []
    for path, headers, sample in samples(first, count):
        # It ends with its padding.
        body = sample[:-2] + b"x" * (body_bytes - len(sample)) + sample[-2:]
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
