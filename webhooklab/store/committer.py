"""Group commit: all that arrived while the last commit ran goes into the next one."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from webhooklab.errors import CaptureFileError, StoreError

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
Outcome: TypeAlias = Result | CaptureFileError
"""What became of an item: what the commit made of it, or why it is not stored."""
Done: TypeAlias = Callable[[Sequence[Outcome[Result]]], object]


class Committer(Generic[Item, Result]):
    """A thread that commits groups of items, one transaction after the other.

    `commit` is called with all items that were submitted since its last call began, about `limit`
    of them at most, and returns one result each. When it raises a `CaptureFileError` nothing of
    the transaction is stored and each item's outcome is that error; the next group is tried.
    When it raises anything else, one of the items is to blame: each is then tried alone.
    """

    def __init__(self, commit: Callable[[list[Item]], list[Result]], *, limit: int) -> None:
        self._commit = commit
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[Sequence[Item], Done[Result]] | None] = (
            queue.SimpleQueue()
        )
        self._stopped = False
        self.waiting = 0
        """How many items are submitted, and neither committed nor refused yet."""
        self._lock = threading.Lock()  # nothing is queued behind the end
        self._thread = threading.Thread(target=self._run, name="webhooklab-store", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item], done: Done[Result]) -> bool:
        """Have `items` committed. `done` gets an outcome for each, on this thread.

        False when it has been stopped: then nothing is committed, and `done` not called.
        """
        with self._lock:
            if not self._stopped:
                self._queue.put((items, done))
                self.waiting += len(items)
            return not self._stopped

    def stop(self) -> None:
        """Commit what has been submitted, then end the thread. Repeatable."""
        with self._lock:
            if not self._stopped:
                self._queue.put(None)
            self._stopped = True
        self._thread.join()

    def _run(self) -> None:
        going_on = True
        while going_on:
            groups, going_on = self._gather()
            outcomes = self._try([item for items, _ in groups for item in items])
            with self._lock:  # before anybody is told that it is committed
                self.waiting -= len(outcomes)
            start = 0
            for items, done in groups:
                _tell(done, outcomes[start : start + len(items)])
                start += len(items)

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

    def _try(self, items: list[Item]) -> Sequence[Outcome[Result]]:
        try:
            return self._commit(items) if items else []
        except CaptureFileError as error:
            return [error] * len(items)
        except Exception as error:
            if len(items) > 1:
                return [outcome for item in items for outcome in self._try([item])]
            logger.exception("one item cannot be stored")
            return [StoreError(f"This cannot be stored: {error!r}.")]


def _tell(done: Done[Result], outcomes: Sequence[Outcome[Result]]) -> None:
    try:
        done(outcomes)
    except Exception:  # whoever was waiting has gone; the thread that commits must go on
        logger.exception("nobody could be told what became of a commit")
