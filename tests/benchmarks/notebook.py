"""A process such as a notebook's: a Lab, and a main thread that runs cells."""

from __future__ import annotations

import ctypes
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.corpora import fill
from tests.benchmarks.peak import give_back
from tests.raw_http import post
from webhooklab import Lab, clock
from webhooklab.inbox import Description
from webhooklab.inbox.feed import Feed
from webhooklab.retention import parse_keep

DEFAULT_SWITCH_INTERVAL_SECONDS = 0.005


class Notebook:
    """Runs the cell that it is told to, over and over, on the main thread."""

    def __init__(self, path: Path, **options: Any) -> None:
        self._lab = Lab(path, **options)
        self.port = int(self._lab.url.rsplit(":", 1)[1].rstrip("/"))
        self._short_interval = sys.getswitchinterval()
        self._changed = threading.Event()
        self._cell: Callable[[], object] = self._idle

    def run_cells(self) -> None:
        while True:
            self._cell()

    def obey(self, line: str) -> object:
        """One command: its name, and perhaps a value."""
        name, _, value = line.partition(" ")
        return getattr(self, f"command_{name}")(value)

    def command_cell(self, kind: str) -> None:
        """Run cells of a kind: idle, sleeping, computing."""
        self._cell = getattr(self, f"_{kind}")
        self._changed.set()

    def command_interval(self, kind: str) -> None:
        """Take turns as often as a Lab asks for ("short"), or as Python does ("default")."""
        short = kind == "short"
        sys.setswitchinterval(self._short_interval if short else DEFAULT_SWITCH_INTERVAL_SECONDS)

    def command_count(self, value: str) -> int:
        return len(self._lab)

    def command_check(self, secret: str) -> None:
        """Check signatures by this secret; without one, check none."""
        self._lab._parts.server.ingress.checks.clear()
        if secret:
            self._lab.verify_with("standardwebhooks", secret)

    def command_verdicts(self, value: str) -> dict[str, int]:
        """How many deliveries were found to be what."""
        return self._lab.events["verified"].value_counts().to_dict()

    def command_fill(self, count: str) -> None:
        """Store so many more deliveries, past HTTP."""
        fill(self._lab._parts.store, self._lab.head, int(count))

    def command_keep(self, value: str) -> None:
        """Keep so much from now on; nothing: all."""
        capturing = self._lab._parts.listening.capturing
        assert capturing is not None
        capturing.retention.keep = parse_keep(value or None)

    def command_latency_wait(self, count: str) -> list[float]:
        """How long after its commit began `lab.wait` has a row, in ms, so many times."""
        return [
            self._one_more(lambda after: self._lab.wait(after=after)) for _ in range(int(count))
        ]

    def command_latency_feed(self, count: str) -> list[float]:
        """The same for what the inbox sends to the browser."""
        store, sent = self._lab._parts.store, threading.Event()

        def send(message: dict[str, Any], _buffers: list[bytes]) -> None:
            if message["kind"] == "rows" and message["through"] == store.head:
                sent.set()

        def look(_after: int) -> None:
            sent.wait()
            sent.clear()

        feed = Feed(store, lambda: Description("", "listening", ""), send)
        feed.start()
        delays = []
        for _ in range(int(count)):
            time.sleep(0.15)  # else it would rest from the row before
            sent.clear()
            delays.append(self._one_more(look))
        feed.stop()
        return delays

    def _one_more(self, look: Callable[[int], object]) -> float:
        after = self._lab.head
        sender = threading.Thread(target=post, args=(self._lab.url,))
        sender.start()
        look(after)
        seen = clock.now_us()
        sender.join()
        return (seen - clock.from_datetime(self._lab[-1].stored_at)) / 1e3

    def command_give_back(self, value: str) -> None:
        """Have nothing to use again, so that memory counts."""
        give_back()

    def command_poll(self, url: str) -> float:
        """Start a poller; seconds until its baseline is stored."""
        begun = time.perf_counter()
        self._poller = self._lab.poll(url, every=3600.0)
        while not self._poller.stats["polls"]:
            time.sleep(0.001)
        return time.perf_counter() - begun

    def command_poll_again(self, value: str) -> dict[str, float]:
        """Poll once more: how long it took, and what there was and what it wrote."""
        before = self._rows()
        begun = time.perf_counter()
        poll = self._poller.poll_now()
        elapsed = time.perf_counter() - begun
        return {
            "seconds": elapsed,
            "items": poll.item_count,
            "requests": poll.request_count,
            "changed": poll.changed,
            **{name: count - before[name] for name, count in self._rows().items()},
        }

    def _rows(self) -> dict[str, int]:
        """In the file itself: frames would count as the poll's memory."""
        with self._lab._parts.store.reading() as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("polls", "snapshots")
            }

    def command_get(self, url: str) -> dict[str, float]:
        """The same pages by hand: GET, read, follow the link, keep nothing."""
        import httpx  # noqa: PLC0415 - only for this command

        items = requests = 0
        begun = time.perf_counter()
        with httpx.Client() as client:
            while url:
                answer = client.get(url)
                items += len(json.loads(answer.content)["orders"])
                requests += 1
                url = answer.links.get("next", {}).get("url", "")
        return {"seconds": time.perf_counter() - begun, "items": items, "requests": requests}

    def _idle(self) -> None:
        self._changed.wait()
        self._changed.clear()

    def _sleeping(self) -> None:
        time.sleep(0.05)

    def _holding(self) -> None:
        ctypes.PyDLL(None).usleep(100_000)

    def _computing(self) -> None:
        total = 0
        for number in range(200_000):
            total += number * number % 7
