"""Polling an API: a collection or one resource, again and again, and never twice at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import CancelledError, Future
from datetime import timedelta
from typing import Any, Self

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.errors import ClosedError
from webhooklab.facts import Factual
from webhooklab.observations import Observations
from webhooklab.pulled import Known, Poll, Subject
from webhooklab.pulling.answers import Failure, Tally
from webhooklab.pulling.getter import Getter
from webhooklab.pulling.items import ItemReader
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.memory import Memory, Outcome, Round
from webhooklab.pulling.paging import PageReader
from webhooklab.pulling.source import Source
from webhooklab.pulling.statistics import PollStatistics

logger = logging.getLogger(__name__)


class Poller(Factual):
    """A poller: `start`, `stop`. It runs on `background`, which must be running.

    Goes on from what the capture file knows of a poller of the same name and definition; else its
    first complete poll is the baseline. Whatever the server does, it polls on; `stats` and
    `lab.polls` tell. Raises `PullArgumentError`, `MappingError`, and `TypeError` for an `auth`
    that httpx does not take.
    """

    def __init__(
        self,
        source: Source,
        observations: Observations,
        background: BackgroundLoop,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        source.check()
        self.every = source.every
        self._source = source
        self._limits = limits
        self._background = background
        self._observations = observations
        self._reader = ItemReader(source.items, source.entity_id, source.version, source.next_url)
        self._getter = Getter(
            source.url,
            auth=source.auth,
            headers=source.headers,
            params=source.params,
            limits=limits,
        )
        self._getter.on_retry = self._note_retry
        self.url = self._getter.shown_url
        self.name = source.name or self.url
        self._subject = Subject(self.name, source.provider, source.entity_type)
        self._memory = Memory(Known())
        self._statistics = PollStatistics()
        self._doing = "not started"
        self._next_at: int | None = None  # microseconds since the epoch
        self._asked: list[Future[Poll]] = []
        self._serving: list[Future[Poll]] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def start(self) -> Self:
        """Poll from now on, the first time at once. Raises `CaptureFileError`."""
        known = self._observations.begin(self.name, self._source.definition(self.url))
        self._memory = Memory(known, full=self._source.full)
        self._background.call(self._start)
        return self

    # For the user

    @property
    def running(self) -> bool:
        """Whether it polls; False once it was stopped."""
        return self._task is not None and not self._task.done() and self._background.running

    @property
    def stats(self) -> dict[str, Any]:
        """A copy of what was counted since the start, with what it is doing now.

        `polls`, `requests`, `failed`, `not_modified`, `wasted` (complete, but nothing new),
        `changed`, `response_bytes`, `failing` (the newest one failed), `last_error`, `last_status`,
        `last_polled_at`, `next_poll_at` (aware UTC; None while it polls, and once stopped),
        `entities` (known now), `doing`.
        """
        next_at = self._next_at if self.running else None
        return {
            **self._statistics.as_dict(),
            "next_poll_at": None if next_at is None else clock.to_datetime(next_at),
            "entities": len(self._memory),
            "doing": self._doing if self.running else "stopped",
        }

    def poll_now(self) -> Poll:
        """Poll once more, as soon as the poll that is under way has ended; returns the new one.

        The next one is `every` seconds later. Raises `ClosedError` when it was stopped.
        """
        wanted: Future[Poll] = Future()
        self._background.post(self._ask, wanted)
        try:
            if not self.running:
                raise CancelledError
            return wanted.result()
        except CancelledError:
            raise ClosedError(f"The poller {self.name!r} was stopped.") from None

    def stop(self) -> None:
        """End it at once: what is under way is given up, nothing is half-written. Repeatable."""
        if self.running:
            self._background.run(self._end())

    def _facts(self) -> dict[str, Any]:
        stats = self.stats
        facts = {
            "url": self.url,
            "every": f"{self.every:g} s",
            "state": stats["doing"],
            "polls": f"{stats['polls']:,} ({stats['failed']:,} failed, {stats['wasted']:,} wasted, "
            f"{stats['not_modified']:,} not modified)",
            "received": f"{stats['response_bytes']:,} bytes in {stats['requests']:,} requests",
            "entities": f"{stats['entities']:,}",
        }
        if stats["last_status"] in (404, 410):
            facts["last answer"] = f"{stats['last_status']}: nothing is there"
        if stats["next_poll_at"]:
            facts["next poll"] = f"{stats['next_poll_at']:%H:%M:%S} UTC"
        if stats["last_error"]:
            facts["last error"] = stats["last_error"]
        return facts

    # On the loop

    def _start(self) -> None:
        pages = PageReader(
            self._getter, self._reader, self._memory, max_pages=self._limits.max_pages
        )
        self._task = asyncio.get_running_loop().create_task(self._run(pages))

    async def _end(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _ask(self, wanted: Future[Poll]) -> None:
        if self._task is None or self._task.done():
            wanted.cancel()
            return
        self._asked.append(wanted)
        self._wake.set()

    async def _run(self, pages: PageReader) -> None:
        try:
            while True:
                began = clock.monotonic()
                self._wake.clear()
                self._serving, self._asked = self._asked, []
                poll = await self._poll(pages)
                for wanted in self._serving:
                    wanted.set_result(poll)
                self._serving = []
                await self._rest(began)
        finally:
            for wanted in (*self._serving, *self._asked):
                wanted.cancel()
            await self._getter.close()

    async def _rest(self, began: float) -> None:
        """Wait for the next poll's time, or for somebody who asks for one."""
        delay = max(began + self.every - clock.monotonic(), self._getter.closed_seconds, 0.0)
        wait = timedelta(seconds=delay) // clock.MICROSECOND
        self._doing, self._next_at = "waiting", clock.now_us() + wait
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._wake.wait()

    async def _poll(self, pages: PageReader) -> Poll:
        self._doing, self._next_at = "polling", None
        seen, tally, began = Round(), Tally(), clock.now_us()
        error = None
        try:
            await pages.read(seen, tally)
        except Failure as failure:
            error = str(failure)
        except Exception as failure:  # `auth` may be a function of the user's
            logger.debug("a poll failed", exc_info=True)
            error = f"unexpected {type(failure).__name__}: check auth="
        error = error or seen.problem
        outcome = self._memory.outcome(seen, complete=error is None)
        tally.requested_at = tally.requested_at or began
        return self._keep(seen, outcome, _poll_of(self.url, seen, outcome, tally, error))

    def _keep(self, seen: Round, outcome: Outcome, poll: Poll) -> Poll:
        """Store a poll. Not stored, it is not known either: the next one brings it again."""
        # Not awaited: no `stop` comes between what is stored and what is known.
        baseline = self._memory.proved_at is None
        try:
            self._observations.record(
                self._subject,
                poll,
                shape=seen.shape if seen.shape != self._memory.shape else None,
                changes=outcome.changes,
                away=outcome.away,
                back=outcome.back,
            )
        except Exception as failure:  # a poller ends when it is stopped, and at nothing else
            self._statistics.failed += 1
            self._statistics.failing = True
            self._statistics.last_error = f"a poll could not be stored: {failure}"
            return poll
        self._memory.accept(seen, outcome, proved_at=poll.requested_at if poll.complete else None)
        self._statistics.add(poll, baseline=baseline)
        return poll

    def _note_retry(self, wait: float, why: str) -> None:
        self._doing = f"trying again in {wait:.1f} s: {why}"


def _poll_of(url: str, seen: Round, outcome: Outcome, tally: Tally, error: str | None) -> Poll:
    polled_at = tally.completed_at if error is None else None
    polled_at = polled_at or clock.now_us()
    requested_at = tally.requested_at or polled_at
    not_modified = 0 < seen.pages_read == seen.pages_not_modified and error is None
    return Poll(
        url=url,
        requested_at=requested_at,
        polled_at=polled_at,
        status=tally.status,
        elapsed_ms=max(0, polled_at - requested_at) // 1000,
        response_bytes=tally.received_bytes,
        request_count=tally.requests,
        item_count=None if not_modified or not seen.pages_read else seen.item_count,
        changed=len(outcome.changes),
        not_modified=not_modified,
        complete=error is None,
        rate_remaining=tally.rate_remaining,
        server_date=tally.server_date,
        error=error,
    )
