"""What the kernel tells the browser by itself: new rows, some together, and that it lives.

A message says which range of seqs it covers (`after` < seq <= `through`), so the browser sees when
one was lost, and asks for what is missing. A thread of its own does this, so a running cell does
not stop it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

from webhooklab import clock
from webhooklab.errors import CaptureFileError
from webhooklab.inbox import limits
from webhooklab.inbox.news import Send, news_of
from webhooklab.inbox.rows import Detail, affordable, details, for_browser, light_rows, pack
from webhooklab.inbox.state import Describe, Rate
from webhooklab.store import Chunk, Connection, Store

Range = tuple[int, int]


class Feed:
    """Pushes a store's rows to `send`, from `start` to `stop`.

    `step` does what is due now; the thread calls it again and again.
    """

    def __init__(self, store: Store, describe: Describe, send: Send) -> None:
        self._store = store
        self._describe = describe
        self._send = send
        self._news = news_of(store, send)
        self._lock = threading.Lock()  # for what the browser's messages change
        self._wanted: list[Range] = []
        self._heard = clock.monotonic()
        self._unheard_rows = self._pushed = 0
        self._greeted = threading.Event()
        self._state_due = False
        self._revision = -1
        self._head = self._sent = self._total = self._amended = self._gone = 0
        self._rate = Rate()
        self._budget = float(limits.PUSHED_BYTES_PER_SECOND)
        self._budgeted = self._stated = clock.monotonic()
        self._said: dict[str, Any] = {}
        self._failure: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # Life

    def start(self) -> None:
        """Push from now on. A second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="webhooklab-inbox-feed", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Send what is there and the last state, and end the thread."""
        self._stopping.set()
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join()
        self.step(last=True)

    def drain(self) -> None:
        """Send all that is due or was asked for; where no thread does."""
        self.step(last=True)
        while self._wanted:
            self.step()

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun = clock.monotonic()
            self._wait()
            try:
                self.step()
            except Exception as error:  # the inbox shows it, and tries again
                self._failure = f"{type(error).__name__}: {error}"
            rest = self._pause - (clock.monotonic() - begun)
            self._stopping.wait(max(rest, self._pause / 2))

    @property
    def _pause(self) -> float:
        """How long after the last rows the next ones go, in seconds."""
        return limits.DELTA_SECONDS if self._pushed > limits.FEW_ROWS else limits.QUICK_SECONDS

    def _wait(self) -> None:
        if self._wanted:
            return
        try:
            self._store.wait_beyond(self._sent, limits.DELTA_SECONDS)
        except CaptureFileError as error:
            self._failure = str(error)

    # What the browser says

    def heard(self) -> None:
        """A browser is there and listens."""
        with self._lock:
            self._heard = clock.monotonic()
            self._unheard_rows = 0

    def hello(self) -> None:
        """A browser begins with nothing: it gets the state, and the newest rows."""
        self._greeted.set()
        with self._lock:
            self._state_due = True
        self.want([(0, self._sent)])

    def want(self, ranges: Iterable[Range]) -> None:
        """Rows that a browser lacks."""
        self.heard()
        with self._lock:
            self._wanted += [each for each in ranges if each not in self._wanted]

    # What the browser is told

    def step(self, *, last: bool = False) -> None:
        """Send new rows, a part of those that were asked for, and the state when it is due."""
        try:
            with self._store.reading() as connection:
                self._send_rows(connection)
            self._failure = None
        except CaptureFileError as error:
            self._failure = str(error)
        self._send_state(always=last)

    def _send_rows(self, connection: Connection) -> None:
        revision, self._head = self._store.state(connection)
        self._note_gone(connection)
        if revision != self._revision:
            self._begin_again(connection, revision)
        elif self._may_push_rows():
            sent = self._sent
            if self._head > sent:
                self._send_new(connection)
            self._send_amended(connection, sent)
            for each in self._news:
                self._budget -= each.tell(connection, self._allowance)
        self._send_wanted(connection)

    def _begin_again(self, connection: Connection, revision: int) -> None:
        """Rows that were sent have changed or are gone: the browser is told to forget them."""
        self._revision, self._sent = revision, self._head
        self._total = self._store.count()
        self._amended = self._store.last_amendment(connection)
        for each in self._news:
            each.begin(connection)
        newest = self._newest(connection, limits.FIRST_ROWS)
        with self._lock:
            self._wanted = [(0 if self._greeted.is_set() else newest, self._head)]
        self._send_state(always=True)

    def _note_gone(self, connection: Connection) -> None:
        """Note which rows the file has dropped; the next message tells the browser."""
        gone = self._store.dropped(connection).through
        if gone != self._gone:
            self._gone = gone
            self._total = self._store.counted(connection)
            with self._lock:
                self._state_due = True

    def _newest(self, connection: Connection, count: int) -> int:
        """The seq after which the newest so many rows come."""
        return self._store.before_last(connection, count, "1", ())

    def _send_new(self, connection: Connection) -> None:
        many = self._head - self._sent > limits.HELD_ROWS
        floor = self._newest(connection, limits.HELD_ROWS) if many else 0
        rows = light_rows(self._store, connection, max(self._sent, floor))
        count = len(rows["seq"])
        self._rate.add(clock.monotonic(), count)
        self._pushed = count
        self._total = self._total + count if floor <= self._sent else self._store.count()
        self._unheard_rows += count
        self._push(connection, rows, self._sent, self._head)
        self._sent = self._head

    def _send_amended(self, connection: Connection, sent: int) -> None:
        """Send rows up to `sent` again where what their sender got has become known since.

        They come without a range: whether the browser has all rows around them, nobody knows.
        """
        found = self._store.amendments(connection, self._amended)
        self._amended = found.last
        seqs = [seq for seq in found.seqs if seq <= sent][-limits.HELD_ROWS :]
        if not seqs:
            return
        where = "seq IN (SELECT value FROM json_each(?))"
        floor = self._newest(connection, limits.HELD_ROWS)
        rows = light_rows(self._store, connection, floor, where, (json.dumps(seqs),))
        self._unheard_rows += len(rows["seq"])
        self._send_packed(rows, [], 0, 0)

    def _may_push_rows(self) -> bool:
        with self._lock:
            gone = clock.monotonic() - self._heard > limits.LEASE_SECONDS
            return not gone or self._unheard_rows < limits.LEASE_ROWS

    def _send_wanted(self, connection: Connection) -> None:
        """The newest part of what was asked for; the rest comes with the next steps."""
        with self._lock:
            if not self._wanted:
                return
            after, through = self._wanted.pop(0)
        floor = max(after, self._newest(connection, limits.HELD_ROWS))
        size = limits.FIRST_ROWS if through == self._sent else limits.BACKFILL_ROWS
        where, parameters = "seq > ? AND seq <= ?", (floor, through)
        start = self._store.before_last(connection, size, where, parameters)
        if not floor < start < through:
            start = floor
        rows = light_rows(self._store, connection, start, "seq <= ?", (through,))
        if start > floor:
            with self._lock:
                self._wanted.insert(0, (after, start))
        # Below the floor there is nothing to send, and the browser should not ask again.
        self._push(connection, rows, start if start > floor else after, through)

    def _push(self, connection: Connection, rows: Chunk, after: int, through: int) -> None:
        found = details(self._store, connection, affordable(rows, self._allowance()))
        self._budget -= sum(len(each.body) + len(each.headers) for each in found)
        self._send_packed(rows, found, after, through)

    def _send_packed(self, rows: Chunk, found: list[Detail], after: int, through: int) -> None:
        place, buffer = pack(for_browser(rows), found)
        message = {"kind": "rows", "revision": self._revision, "after": after, "through": through}
        self._send(message | place | self._counts(), [buffer])

    def _allowance(self) -> int:
        """How many bytes of bodies may be pushed now: a bucket that fills with time."""
        now = clock.monotonic()
        per_second = limits.PUSHED_BYTES_PER_SECOND
        self._budget = min(per_second, self._budget + (now - self._budgeted) * per_second)
        self._budgeted = now
        return int(self._budget) if now - self._heard <= limits.LEASE_SECONDS else 0

    def _counts(self) -> dict[str, Any]:
        rate = self._rate.per_second(clock.monotonic())
        counts = {"total": self._total, "rate": rate, "head": self._head, "gone": self._gone}
        return counts | {each.told: each.through for each in self._news}

    def _send_state(self, *, always: bool = False) -> None:
        now = clock.monotonic()
        said = self._describe().as_message()
        if self._failure:
            said["notices"] = [*said["notices"], self._failure]
        beat = now - self._stated >= limits.HEARTBEAT_SECONDS
        with self._lock:
            due, self._state_due = self._state_due, False
        if beat and not self._greeted.is_set():
            self._repeat_first_rows(now)
        if beat or due or always or said != self._said:
            self._stated, self._said = now, said
            state = {"kind": "state", "revision": self._revision, "limits": limits.FOR_BROWSER}
            state["now"] = clock.now_us()
            self._send(state | said | self._counts(), [])

    def _repeat_first_rows(self, now: float) -> None:
        """What was sent before the browser's code had loaded is lost, and it may have no voice.

        (A running cell keeps its messages from the kernel where there are no subshells.)
        """
        if now - self._heard < limits.LEASE_SECONDS:
            with self._lock:
                self._wanted.append((max(0, self._sent - limits.FIRST_ROWS), self._sent))
