"""Where deliveries of a relay go: to the listener, and so into the capture file; and its log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from http import HTTPStatus
from typing import Final

from webhooklab import clock
from webhooklab.defaults import KEEP_ATTEMPTS, KEPT_MARKS
from webhooklab.envelope import Meta, Passage
from webhooklab.errors import CaptureFileError
from webhooklab.exposure import Behind
from webhooklab.handover import Answered, Handover
from webhooklab.relay.link import Link, pauses
from webhooklab.relay.received import Received
from webhooklab.store import Refusal, Store, passages, spans

logger = logging.getLogger(__name__)

_FOR_GOOD: Final = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
"""What is refused so is refused again."""


class Desk:
    """Takes what a relay hands on, from `source`. On the loop that it was made on.

    `channel` is what the relay's deliveries are counted by, in the capture file.
    """

    def __init__(
        self, store: Store, behind: Behind, link: Link, *, source: str, channel: str
    ) -> None:
        self.link = link
        self._store = store
        self._behind = behind
        self._handover = Handover()
        self._source = source
        self._channel = channel

    def close(self) -> None:
        """Hand nothing over any more."""
        self._handover.close()

    # Deliveries

    async def hand(self, received: Received, passage: Passage) -> Answered | None:
        """The lab's answer to a delivery; None where nobody knows whether it was captured.

        One with `committed` None is refused for good.
        """
        meta = Meta(
            source=self._source,
            method=received.method,
            target=received.target,
            headers=received.headers,
            remote=received.remote,
            received_at=received.received_at or clock.now_us(),
            passage=passage,
        )
        given = await self._handover.hand(self._behind, meta, received.body)
        if given is None or (given.committed is None and given.status not in _FOR_GOOD):
            return None
        if given.committed is None:
            why = given.body.decode("latin-1")
            await self.note(f"a delivery is left out, this lab takes none such: {why}")
        return given

    def passage(
        self, mark: int | str | None, answered: int | None, base_url: str | None
    ) -> Passage:
        """How a delivery came; `mark` None: the relay has no name for it."""
        return Passage(self._channel, mark or uuid.uuid4().hex, answered, base_url)

    async def keep(self, received: Received, passage: Passage) -> Answered | None:
        """Have a delivery captured that will not be sent again; None: it could not be.

        That is then in `lab.log`.
        """
        for seconds, _ in zip(pauses(), range(KEEP_ATTEMPTS), strict=False):
            given = await self.hand(received, passage)
            if given is not None:
                return given
            await asyncio.sleep(seconds)
        await self.note("a delivery that was handed on could not be captured, and is lost")
        return None

    async def amend(self, seq: int, status: int) -> None:
        """Write down what a sender got, where it was not what the lab has answered."""
        with contextlib.suppress(CaptureFileError):
            await asyncio.to_thread(self._store.amend, seq, status)

    # What is remembered of the channel

    def newest_mark(self) -> int | str | None:
        """What the relay calls the delivery of it that was captured last; None: there is none."""
        with self._store.reading() as connection:
            return passages.newest(connection, self._channel)

    async def forget_old_marks(self) -> None:
        """Know again only so many of those that a relay may send twice."""
        await asyncio.to_thread(self._forget)

    def _forget(self) -> None:
        with contextlib.suppress(CaptureFileError), self._store.writing() as connection:
            passages.forget_oldest(connection, self._channel, KEPT_MARKS)

    async def reached(self) -> int:
        """Up to which number all has been captured. Raises `CaptureFileError`."""
        return await asyncio.to_thread(self._reached)

    def _reached(self) -> int:
        with self._store.reading() as connection:
            return passages.through(connection, self._channel)

    async def settle(self, reached: int) -> None:
        """Nothing up to this number comes any more."""
        await asyncio.to_thread(self._settle, reached)

    def _settle(self, reached: int) -> None:
        with contextlib.suppress(CaptureFileError), self._store.writing() as connection:
            passages.settle(connection, self._channel, reached)

    # What went wrong

    async def note(self, what: str) -> None:
        """Keep a row in `lab.log`: what went wrong with what the relay has or says."""
        logger.warning("%s: %s", self.link.host, what)
        row = Refusal(clock.now_us(), self.link.host, None, f"{self._source}: {what}")
        with contextlib.suppress(CaptureFileError):
            await asyncio.to_thread(self._store.append, [row])

    async def last_came(self) -> int | None:
        """When the newest delivery of the channel was received, in us; None: nobody knows."""
        return await asyncio.to_thread(self._last_came)

    def _last_came(self) -> int | None:
        with self._store.reading() as connection:
            return passages.last_came(connection, self._channel)

    async def unheard(self, first: int, last: int) -> None:
        """In this time (us) deliveries were accepted that nobody gets: we could not be reached."""
        await asyncio.to_thread(self._unheard, first, last)

    def _unheard(self, first: int, last: int) -> None:
        with contextlib.suppress(CaptureFileError), self._store.writing() as connection:
            spans.cut_span(connection, first, last)
