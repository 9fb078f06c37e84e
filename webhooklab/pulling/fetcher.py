"""Thin events: after each delivery, GET what it spoke of."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any, Self

from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import FETCH_TIMEOUT_SECONDS, MAX_RATE_WAIT_SECONDS
from webhooklab.errors import FetchTimeout
from webhooklab.facts import Factual
from webhooklab.observations import Observations
from webhooklab.pulled import Fetch
from webhooklab.pulling.answers import Answer, Failure, Tally
from webhooklab.pulling.getter import Getter
from webhooklab.pulling.intake import Intake, Wanted
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.source import Sought
from webhooklab.pulling.statistics import FetchStatistics
from webhooklab.pulling.templates import Template
from webhooklab.pulling.truth import TruthReader
from webhooklab.records import Delivery
from webhooklab.refusals import Refuse, no_refusal
from webhooklab.store import Store

logger = logging.getLogger(__name__)


class Fetcher(Factual):
    """Fetches for each delivery from `start` to `stop`; on `background`, which must be running.

    One GET serves all events that wait for its URL; an event that comes while it is under way
    waits for the next one. Only deliveries that come after `start` are fetched for: after a
    restart, what was not fetched before stays without a row. `refuse` says for which deliveries
    nothing is fetched. Raises `PullArgumentError`, `MappingError`, and `TypeError` for an `auth`
    that httpx does not take.
    """

    def __init__(
        self,
        sought: Sought,
        store: Store,
        background: BackgroundLoop,
        *,
        refuse: Refuse = no_refusal,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        sought.check()
        template = Template(sought.url_template)
        self._background = background
        self._observations = Observations(store)
        self._store = store
        self._truth = TruthReader(sought, template.state_path)
        self._getter = Getter(
            template.sample,
            auth=sought.auth,
            headers=sought.headers,
            # An event is not given up because the rate limit asks to wait.
            limits=replace(limits, max_wait_seconds=MAX_RATE_WAIT_SECONDS),
            connections=sought.concurrency,
        )
        self.url_template = template.shown
        self.name = sought.name or self.url_template
        self._concurrency = sought.concurrency
        self._statistics = FetchStatistics()
        self._intake = Intake(
            store,
            sought,
            template,
            refuse,
            hand_on=lambda wanted: background.post(self._add, wanted),
            turn_down=self._turn_down,
        )
        self._waiting: dict[str, list[Wanted]] = {}
        self._under_way: set[str] = set()
        self._urls: asyncio.Queue[str] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> Self:
        """Fetch for what is delivered from now on. Raises `CaptureFileError`."""
        self._background.call(self._start)
        self._intake.start()
        return self

    def stop(self) -> None:
        """End it at once: what is under way is given up. Repeatable."""
        self._intake.stop()
        if self.running:
            self._background.run(self._end())

    @property
    def running(self) -> bool:
        """Whether it fetches; False once it was stopped."""
        return bool(self._workers) and self._background.running

    @property
    def stats(self) -> dict[str, Any]:
        """A copy of what was counted since the start.

        `events` (with a row), `requests`, `coalesced` (events that were served by another's GET),
        `failed`, `refused`, `response_bytes`, `failing` (the newest GET brought nothing),
        `last_error`; and now: `waiting`, `under_way`, `running`.
        """
        waiting = sum(map(len, list(self._waiting.values())))
        now = {"waiting": waiting, "under_way": len(self._under_way), "running": self.running}
        return {**self._statistics.as_dict(), **now}

    def drain(self, timeout: float = FETCH_TIMEOUT_SECONDS) -> None:
        """Wait until all that has been delivered so far was fetched. Raises `FetchTimeout`.

        `timeout` in seconds.
        """
        head, deadline = self._store.head, clock.monotonic() + timeout
        while self._intake.taken < head or not self._background.call(self._is_idle):
            if clock.monotonic() > deadline or not self.running:
                raise FetchTimeout(
                    f"{self.stats['waiting']:,} events were still waiting for their fetch after "
                    f"{timeout:g} s: see .stats, and lab.fetches for what was fetched."
                )
            clock.pause(0.005)

    def outlook(self, delivery: Delivery) -> str | None:
        """Why nothing is fetched for a delivery, in words; None: it waits, or has been fetched."""
        if not self.running:
            return f"{self.name} was stopped."
        return self._intake.passed_over(delivery)

    def _facts(self) -> dict[str, str]:
        stats = self.stats
        state = f"{stats['under_way']} under way, {stats['waiting']} events waiting"
        facts = {
            "url": self.url_template,
            "state": state if self.running else "stopped",
            "events": f"{stats['events']:,} ({stats['coalesced']:,} shared another's GET)",
            "requests": f"{stats['requests']:,}, {stats['response_bytes']:,} bytes",
            "failed": f"{stats['failed']:,}, and {stats['refused']:,} refused",
        }
        if stats["last_error"]:
            facts["last error"] = stats["last_error"]
        return facts

    # On the loop

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._workers = [loop.create_task(self._work()) for _ in range(self._concurrency)]

    async def _end(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._getter.close()

    def _is_idle(self) -> bool:
        return not self._waiting and not self._under_way

    def _add(self, wanted: Wanted) -> None:
        url = str(wanted.url)
        self._waiting.setdefault(url, []).append(wanted)
        if len(self._waiting[url]) == 1 and url not in self._under_way:
            self._urls.put_nowait(url)

    async def _work(self) -> None:
        while True:
            url = await self._urls.get()
            wanted = self._waiting.pop(url)
            self._under_way.add(url)
            try:
                await self._serve(wanted)
            except Exception:  # nothing may end a worker; what it is, is a fault of ours
                logger.exception("a fetch could not be kept")
            self._under_way.discard(url)
            self._intake.done(len(wanted))
            if url in self._waiting:
                self._urls.put_nowait(url)

    async def _serve(self, wanted: list[Wanted]) -> None:
        tally, answer = Tally(), None
        try:
            answer = await self._getter.get(wanted[0].url, tally)
            error = None
        except Failure as failure:
            error = str(failure)
        except Exception as failure:  # `auth` may be a function of the user's
            error = f"unexpected {type(failure).__name__}: check auth="
        # On a thread: a large state must not hold up other fetches.
        rows = await asyncio.to_thread(self._keep, wanted, tally, answer, error)
        self._statistics.add(rows, tally)

    def _keep(
        self, wanted: list[Wanted], tally: Tally, answer: Answer | None, error: str | None
    ) -> list[Fetch]:
        truth = self._truth.read(answer, error)
        events = {
            (event.seq, event.item): event
            for seq in {each.seq for each in wanted}
            for event in self._observations.spoken(seq)
        }
        rows = [
            self._truth.row(truth, events[each.seq, each.item], each.url, tally)
            for each in wanted
            if (each.seq, each.item) in events
        ]
        self._store_rows(rows)
        return rows

    def _turn_down(self, row: Fetch) -> None:
        self._store_rows([row])
        self._background.post(self._statistics.refuse, row)

    def _store_rows(self, rows: list[Fetch]) -> None:
        try:
            self._observations.record_fetches(self.name, rows)
        except Exception as failure:  # the next one may be stored again
            self._statistics.last_error = f"a fetch could not be stored: {failure}"
