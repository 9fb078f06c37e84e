"""Having changes committed to a relay's file. On its event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

from webhooklab.errors import CaptureFileError, StoreError
from webhooklab.relay.server.changes import Became, Change
from webhooklab.relay.server.file import RelayFile

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Became | CaptureFileError
Then: TypeAlias = Callable[[Outcome], object]


class Commits:
    """All that one turn of the loop brings goes to the file together."""

    def __init__(self, file: RelayFile) -> None:
        self._file = file
        self._pending: list[tuple[Change, Then]] = []
        self.failing = False
        """Whether the file could not be written the last time."""

    def submit(self, change: Change, then: Then) -> None:
        """Have a change committed; `then` gets what became of it, on the loop."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append((change, then))

    async def result_of(self, change: Change) -> Outcome:
        """Have a change committed; what became of it."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(change, lambda became: _settle(future, became))
        return await future

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        pending, self._pending = self._pending, []
        changes = [change for change, _ in pending]
        thens = [then for _, then in pending]

        def on_done(outcomes: Sequence[Outcome]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._all_became, outcomes, thens)

        if not self._file.submit(changes, on_done):
            self._all_became([StoreError("The relay is being ended.")] * len(thens), thens)

    def _all_became(self, outcomes: Sequence[Outcome], thens: Sequence[Then]) -> None:
        for outcome, then in zip(outcomes, thens, strict=True):
            try:
                self._became(outcome, then)
            except Exception:  # the others are to have their answers
                logger.exception("somebody could not be told what became of a change")

    def _became(self, outcome: Outcome, then: Then) -> None:
        failing = isinstance(outcome, CaptureFileError)
        if failing and not self.failing:
            logger.error("nothing can be stored, senders get 503: %s", outcome)
        self.failing = failing
        then(outcome)


def _settle(future: asyncio.Future[Outcome], became: Outcome) -> None:
    if not future.done():  # whoever asked may have left
        future.set_result(became)
