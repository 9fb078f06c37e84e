"""An exposure by a relay: deliveries are fetched by a connection that is made from here."""

from __future__ import annotations

import asyncio
import threading
from abc import abstractmethod

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import LINK_STEADY_SECONDS
from webhooklab.exposure import Behind, Exposure
from webhooklab.relay.desk import Desk
from webhooklab.relay.link import Link, pauses, why
from webhooklab.store import Store


class Outward(Exposure):
    """Fetches deliveries from a relay, and hands them over to the listener.

    It does so from construction to `close`, on a loop of its own, and connects again whenever the
    connection ends. It ends with this process, also where the listener goes on.
    """

    stays = False
    source: str

    def __init__(self, behind: Behind, store: Store, *, host: str, channel: str) -> None:
        self._link = Link(host)
        self._heard_at = clock.now_us()
        self._lock = threading.Lock()
        self._background = BackgroundLoop(f"webhooklab-{self.via}").start()
        self._desk = self._background.call(
            lambda: Desk(store, behind, self._link, source=self.source, channel=channel)
        )

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

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._background.call(self._desk.close)
                self._background.stop()

    async def _go_on(self) -> None:
        waits = pauses()
        while True:
            begun = clock.monotonic()
            reason = await self._try()
            await self._ended()
            if clock.monotonic() - begun > LINK_STEADY_SECONDS:
                waits = pauses()
            seconds = next(waits)
            self._link.lost(reason, seconds)
            await asyncio.sleep(seconds)

    async def _try(self) -> str:
        """Attend to one connection; returns why it ended."""
        self._link.trying()
        try:
            await self._attend()
        except Exception as error:  # whatever it is, deliveries are to come again
            return why(error)
        return "it ended the connection"

    async def _ended(self) -> None:
        """A connection has ended, or could not be made."""

    def _hear(self) -> None:
        """The relay is there: what is sent now comes here, or can be asked for."""
        self._heard_at = clock.now_us()

    async def _miss(self, since: int) -> None:
        """What was sent from then (us) until now does not come: we could not be reached."""
        self._hear()
        await self._desk.unheard(since, self._heard_at)

    @abstractmethod
    async def _attend(self) -> None:
        """Connect, and hand over what comes, until the connection ends. Raises why it did."""
