"""An exposure by a relay: deliveries are fetched by a connection that is made from here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import uuid
from abc import abstractmethod
from http import HTTPStatus
from pathlib import Path
from typing import Final

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import KEEP_ATTEMPTS, KEPT_MARKS, LINK_STEADY_SECONDS
from webhooklab.envelope import Meta, Passage
from webhooklab.errors import CaptureFileError
from webhooklab.exposure import Behind, Exposure
from webhooklab.handover import Answered, Handover
from webhooklab.relay.link import Link, pauses, why
from webhooklab.relay.received import Received
from webhooklab.store import Refusal, Store, passages

logger = logging.getLogger(__name__)

_FOR_GOOD: Final = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
"""What is refused so is refused again."""


class Outward(Exposure):
    """Fetches deliveries from a relay, and hands them over to the listener.

    It does so from construction to `close`, on a loop of its own, and connects again whenever the
    connection ends. It ends with this process.
    """

    source: str
    _channel: str
    """What the relay's deliveries are counted by, in the capture file."""

    def __init__(self, file: Path, behind: Behind, store: Store, host: str) -> None:
        self._file = file
        self._behind = behind
        self._store = store
        self._link = Link(host)
        self._closed = False
        self._lock = threading.Lock()
        self._background = BackgroundLoop(f"webhooklab-{self.via}").start()
        self._handover = self._background.call(Handover)

    def _begin(self) -> None:
        """Connect from now on: to be called when all is there that `_attend` needs."""
        self._going = asyncio.run_coroutine_threadsafe(self._go_on(), self._background.loop)

    @property
    def state(self) -> str:
        return self._closed_words if self._closed else self._link.words

    @property
    @abstractmethod
    def _closed_words(self) -> str:
        """What its senders get once it is closed."""

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._background.post(self._handover.close)
                self._background.stop()

    # The connection

    async def _go_on(self) -> None:
        waits = pauses()
        while True:
            begun = clock.monotonic()
            reason = await self._try()
            if clock.monotonic() - begun > LINK_STEADY_SECONDS:
                waits = pauses()
            seconds = next(waits)
            self._link.lost(reason, seconds)
            logger.info("%s: %s", self._link.host, self._link.words)
            await asyncio.sleep(seconds)

    async def _try(self) -> str:
        """Attend to one connection; returns why it ended."""
        self._link.trying()
        try:
            await self._attend()
        except Exception as error:  # whatever it is, deliveries are to come again
            return why(error)
        return "it ended the connection"

    @abstractmethod
    async def _attend(self) -> None:
        """Connect, and hand over what comes, until the connection ends. Raises why it did."""

    # What comes

    async def _keep(
        self, received: Received, answered: int, *, base_url: str | None, mark: str | None = None
    ) -> Answered | None:
        """Have a delivery captured that will not be sent again, and whose sender has its answer.

        `mark` is what the relay calls it; None: it has no name there. Returns None when it could
        not be captured, which is then in `lab.log`.
        """
        passage = Passage(self._channel, mark or uuid.uuid4().hex, answered, base_url)
        meta = self._meta(received, None, passage)
        for seconds, _ in zip(pauses(), range(KEEP_ATTEMPTS), strict=False):
            given = await self._handover.hand(self._behind, meta, received.body)
            if given is not None and (given.committed or given.status in _FOR_GOOD):
                return given
            await asyncio.sleep(seconds)
        await self._note("a delivery that was handed on could not be captured, and is lost")
        return None

    def _meta(self, received: Received, remote: str | None, passage: Passage) -> Meta:
        return Meta(
            source=self.source,
            method=received.method,
            target=received.target,
            headers=received.headers,
            remote=remote,
            received_at=received.received_at or clock.now_us(),
            passage=passage,
        )

    async def _note(self, what: str) -> None:
        """Keep a row in `lab.log`: what went wrong with what the relay has or says."""
        logger.warning("%s: %s", self._link.host, what)
        row = Refusal(clock.now_us(), self._link.host, None, f"{self.name}: {what}")
        with contextlib.suppress(CaptureFileError):
            await asyncio.to_thread(self._store.append, [row])

    def _newest_mark(self) -> int | str | None:
        """What the relay calls the delivery of it that was captured last; None: there is none."""
        with self._store.reading() as connection:
            return passages.newest(connection, self._channel)

    async def _forget_old_marks(self) -> None:
        await asyncio.to_thread(self._forget)

    def _forget(self) -> None:
        with contextlib.suppress(CaptureFileError), self._store.writing() as connection:
            passages.forget_oldest(connection, self._channel, KEPT_MARKS)
