"""One reader's link to its channel: what goes out under the window, what comes back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from webhooklab import records
from webhooklab.errors import RelayProtocolError, StoreError
from webhooklab.relay.limits import (
    ANSWER_SECONDS,
    SEND_SECONDS,
    WINDOW_BYTES,
    WINDOW_ROWS,
)
from webhooklab.relay.protocol import (
    Ack,
    Answer,
    Closing,
    Delivery,
    FromReader,
    FromRelay,
    Gap,
    Hello,
    Ready,
    encode,
)
from webhooklab.relay.server.budget import Budget
from webhooklab.relay.server.file import Kept, Known, RelayFile
from webhooklab.relay.server.keys import unsealed

logger = logging.getLogger(__name__)

ROUTE: Final = "/h/"
"""Before the token, in what senders call."""
ACCEPTED: Final = records.Answer(202)
"""What a sender gets whom no lab answers: it is kept."""


class Link(Protocol):
    """A WebSocket, as a session sees it."""

    async def send(self, text: str) -> None:
        """Return when the socket has taken it. Raises `OSError` when it is broken."""

    def close(self, why: Closing) -> None:
        """Say why, and cut the link soon."""

    def abort(self) -> None:
        """Cut the link now."""


class Waiter(Protocol):
    """A sender that waits for its answer."""

    def reply(self, answer: records.Answer) -> None:
        """Send it."""


class Session:
    """A reader that has shown its key. On the loop; `receive` its frames, `end` it once.

    `commit_ack` is called with a sequence to be committed as acknowledged, and calls back when
    it is.
    """

    def __init__(
        self,
        known: Known,
        key: str,
        link: Link,
        *,
        file: RelayFile,
        budget: Budget,
        commit_ack: Callable[[int, Callable[[], None]], None],
    ) -> None:
        self.channel = known.id
        self._token = unsealed(known.sealed_token, key)
        self._link = link
        self._file = file
        self._budget = budget
        self._commit_ack = commit_ack
        self._sent = 0
        self._unacknowledged: deque[tuple[int, int]] = deque()
        self._unacknowledged_bytes = 0
        self._acked = 0
        self._committing = False
        self._waiters: dict[int, tuple[Waiter, asyncio.TimerHandle]] = {}
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self.ended = False

    @property
    def answers(self) -> bool:
        """Whether it may answer what is committed now: it has said hello, and keeps up."""
        return self._pump is not None and not self.ended and not self._is_full()

    def begin(self, after: int, head: int) -> None:
        """It has everything up to `after`; the channel's newest is `head`."""
        self._sent = self._acked = after
        ready = Ready(head, WINDOW_ROWS, WINDOW_BYTES)
        self._pump = asyncio.get_running_loop().create_task(self._run(ready))

    def end(self) -> None:
        """The link is no more: nobody here answers those who wait. Repeatable."""
        if self.ended:
            return
        self.ended = True
        if self._pump is not None:
            self._pump.cancel()
        for sequence in list(self._waiters):
            self._give(sequence, ACCEPTED)

    def close(self, why: Closing) -> None:
        """End it, and tell the reader why."""
        self.end()
        self._link.close(why)

    # What comes from the reader

    def receive(self, frame: FromReader) -> None:
        """A frame after its hello. Raises `RelayProtocolError` for what does not fit."""
        match frame:
            case Ack(sequence):
                self._acknowledged(sequence)
            case Answer():
                answer = records.Answer(frame.status, frame.headers, frame.body)
                self._give(frame.sequence, answer)
            case Hello():
                raise RelayProtocolError("The other end said hello twice.")

    def _acknowledged(self, sequence: int) -> None:
        if sequence > self._sent:
            raise RelayProtocolError("The other end acknowledged what was not sent.")
        while self._unacknowledged and self._unacknowledged[0][0] <= sequence:
            self._unacknowledged_bytes -= self._unacknowledged.popleft()[1]
        if sequence > self._acked:
            self._acked = sequence
            self._write_ack()
        self._wake.set()

    def _write_ack(self) -> None:
        """One at a time: those that come meanwhile are one again."""
        if not self._committing:
            self._committing = True
            written = self._acked
            self._commit_ack(written, lambda: self._ack_written(written))

    def _ack_written(self, written: int) -> None:
        self._committing = False
        if self._acked > written:
            self._write_ack()

    # Senders

    def wait(self, sequence: int, waiter: Waiter) -> None:
        """A delivery was committed whose sender waits for the lab's answer."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(ANSWER_SECONDS, self._give, sequence, ACCEPTED)
        self._waiters[sequence] = waiter, timer

    def _give(self, sequence: int, answer: records.Answer) -> None:
        waiter, timer = self._waiters.pop(sequence, (None, None))
        if waiter is not None and timer is not None:
            timer.cancel()
            waiter.reply(answer)

    # What goes to the reader

    def look(self) -> None:
        """There is something new."""
        self._wake.set()

    async def _run(self, ready: Ready) -> None:
        try:
            await self._send(ready, 0)
            # To be cancelled is not enough: before Python 3.12 `wait_for` may swallow that.
            while not self.ended:
                self._wake.clear()
                if not await self._send_next():
                    await self._wake.wait()
        except (OSError, TimeoutError, StoreError):
            self._cut()
        except Exception:  # a link that stands still would look like one with nothing to say
            logger.exception("a reader's link failed")
            self._cut()

    def _cut(self) -> None:
        """Cut the link; but one that is closed with a reason is to deliver that."""
        if not self.ended:
            self._link.abort()

    async def _send_next(self) -> bool:
        """Send the next delivery, if there is one and the window lets it."""
        if self._is_full():
            return False
        kept = self._file.next(self.channel, self._sent)
        if kept is None:
            return False
        if kept.sequence > self._sent + 1:
            await self._send(Gap(self._sent + 1, kept.sequence - 1), 0)
        # Before it is sent: its acknowledgement may be here before we go on.
        self._sent = kept.sequence
        self._unacknowledged.append((kept.sequence, kept.size))
        self._unacknowledged_bytes += kept.size
        await self._send(self._delivery(kept), kept.size)
        return True

    def _is_full(self) -> bool:
        count = len(self._unacknowledged)
        return count >= WINDOW_ROWS or self._unacknowledged_bytes >= WINDOW_BYTES

    def _delivery(self, kept: Kept) -> Delivery:
        head = kept.head
        return Delivery(
            sequence=kept.sequence,
            received_at=kept.received_at,
            method=head.method,
            url=f"{head.origin}{ROUTE}{self._token}{head.rest}",
            target=target_of(head.rest),
            headers=head.headers,
            body=kept.body,
            remote=head.remote,
            waiting=kept.sequence in self._waiters,
        )

    async def _send(self, frame: FromRelay, size: int) -> None:
        taken = await self._budget.take(size)
        try:
            await asyncio.wait_for(self._link.send(encode(frame)), SEND_SECONDS)
        finally:
            await self._budget.give(taken)


def target_of(rest: str) -> str:
    """What follows the token, as a target of its own."""
    return rest if rest.startswith("/") else f"/{rest}"
