"""Group commit: all that arrived while the last commit ran goes into the next one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from webhooklab.errors import CaptureFileError, StoreError

Item = TypeVar("Item")
Result = TypeVar("Result")
Done = Callable[[Sequence[Result] | CaptureFileError], None]


class Committer(Generic[Item, Result]):
    """A thread that commits groups of items, one transaction after the other.

    `commit` is called with all items that were submitted since its last call began, at most
    `limit` of them, and returns one result each. It may raise `StoreError`: then each group that
    was in the transaction is told so, nothing of it is stored, and the next group is tried.
    """

    def __init__(self, commit: Callable[[list[Item]], list[Result]], *, limit: int) -> None:
        self._commit = commit
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[Sequence[Item], Done[Result]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._run, name="webhooklab-store", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item], done: Done[Result]) -> None:
        """Have `items` committed. `done` gets their results, or the error, on this thread."""
        self._queue.put((items, done))

    def stop(self) -> None:
        """Commit what has been submitted, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going_on = True
        while going_on:
            groups, going_on = self._gather()
            self._commit_groups(groups)

    def _gather(self) -> tuple[list[tuple[Sequence[Item], Done[Result]]], bool]:
        groups = []
        count = 0
        group = self._queue.get()
        while group is not None:
            groups.append(group)
            count += len(group[0])
            if count >= self._limit or self._queue.empty():
                return groups, True
            group = self._queue.get()
        return groups, False

    def _commit_groups(self, groups: list[tuple[Sequence[Item], Done[Result]]]) -> None:
        try:
            results = self._commit([item for items, _ in groups for item in items])
        except CaptureFileError as error:
            return _fail(groups, error)
        except Exception as error:  # a bug in here must not end the thread that commits
            return _fail(groups, StoreError(f"unexpected: {error!r}"))
        start = 0
        for items, done in groups:
            done(results[start : start + len(items)])
            start += len(items)


def _fail(groups: list[tuple[Sequence[Item], Done[Result]]], error: CaptureFileError) -> None:
    for _, done in groups:
        done(error)
