"""One poll of 10,000 entities of which one changed, against a GET and `json.loads` of its pages.

The API, and the Lab that polls it, are in processes of their own; httpx asks from the Lab's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.benchmarks.peak import Peak
from tests.benchmarks.processes import Contender, running
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target, in_turns, ratios

ENTITIES, QUICK_ENTITIES = 10_000, 1_000
LESS_IS_BETTER = Target(at_least=False)
MEGABYTES = Target(at_least=False, unit=" MB")
ROWS = Target(1.0, 1.0, at_least=False, unit="")
OURS, BY_HAND = "lab.poll: one poll", "httpx.get + json.loads"


@benchmark("poller")
def poller(run: Run) -> Iterator[Row]:
    whoever_is_asked_for = replace(run, against=())
    with running(whoever_is_asked_for, ["collection", "webhooklab"]) as (api, kernel):
        polling = Polling(api, kernel, QUICK_ENTITIES if run.quick else ENTITIES)
        baseline, first_peak = polling.begin()
        timers = {OURS: polling.poll, BY_HAND: polling.get}
        figures = run.keep(in_turns(timers, run.rounds), f"s, of {polling.entities:,} entities")
        peaks = {name: polling.peak(timer) for name, timer in timers.items()}
    run.keep({f"the first poll, of {polling.entities:,} entities": [baseline]}, "s")
    what = f"a poll of {polling.entities:,} entities, one of them changed"
    yield Row(f"{what}, against GET + `json.loads`", ratios(*figures.values()), LESS_IS_BETTER)
    yield Row(f"{what}: rows of `lab.snapshots` written", polling.written, ROWS)
    yield Row(f"{what}: memory at most", [peaks[OURS]], MEGABYTES)
    yield Row("the same pages by hand: memory at most", [peaks[BY_HAND]], MEGABYTES)
    yield Row(f"the first poll of {polling.entities:,}: memory at most", [first_peak], MEGABYTES)


class Polling:
    """The API, and what asks it. Each poll is checked: all entities seen, one change, one row."""

    def __init__(self, api: Contender, kernel: Contender, entities: int) -> None:
        self._api = api
        self._kernel = kernel
        self._url = f"http://127.0.0.1:{api.port}/orders"
        self.entities = entities
        self.written: list[float] = []

    def begin(self) -> tuple[float, float]:
        """The first poll: seconds, and MB at most."""
        self._api.ask(f"hold {self.entities}")
        self.get()  # so that httpx is loaded
        self._kernel.ask("give_back")
        with Peak(self._kernel.pid) as peak:
            took = float(self._kernel.ask(f"poll {self._url}"))
        return took, peak.megabytes

    def poll(self) -> float:
        self._api.ask("change")
        did = self._kernel.ask("poll_again")
        if (did["items"], did["changed"], did["polls"]) != (self.entities, 1, 1):
            raise AssertionError(f"not one poll of all with one change: {did}")
        self.written.append(did["snapshots"])
        return float(did["seconds"])

    def get(self) -> float:
        did = self._kernel.ask(f"get {self._url}")
        if did["items"] != self.entities:
            raise AssertionError(f"not all of the pages: {did}")
        return float(did["seconds"])

    def peak(self, work: Callable[[], float]) -> float:
        """MB at most while `work` is done, above what the kernel had before."""
        self._kernel.ask("give_back")
        with Peak(self._kernel.pid) as peak:
            work()
        return peak.megabytes
