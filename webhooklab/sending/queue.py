"""What a forward is still to send: the capture file is the queue, and this is how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webhooklab.attempts import Attempts
from webhooklab.sending.route import Route
from webhooklab.sent import Wanted
from webhooklab.store import Store


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be sent next; `through`: there is nothing else up to this `seq`."""

    rows: Sequence[Wanted]
    through: int


class Queue:
    """The deliveries of one forward that are to be sent, in order of their `seq`.

    `reached`: nothing is left to do up to there. `taken`: what was handed out ends there; those in
    between are `open` until they are done. What had its last try before is not handed out again.
    """

    def __init__(self, store: Store, attempts: Attempts, sender: str, route: Route) -> None:
        self._store = store
        self._attempts = attempts
        self._condition = route.condition()
        self.taken = attempts.begin(sender)
        self.open: set[int] = set()
        self._before = attempts.tried(sender, self.taken)
        self._ahead: set[int] = set()  # done before it was their turn

    def look(self, limit: int) -> Found:
        """What comes next, from the file. From any thread."""
        head = self._store.head  # before the rows, so that none of those up to it is missed
        if head <= self.taken:
            return Found([], self.taken)
        rows = self._read(self.taken, head, limit)
        return Found(rows, rows[-1].seq if len(rows) == limit else head)

    def take(self, found: Found) -> list[Wanted]:
        """Hand out what was found, but for what is under way or had its last try. On the loop."""
        known = self.open | self._ahead
        fresh = [each for each in found.rows if each.seq not in known]
        self._ahead = {seq for seq in self._ahead if seq > found.through}
        self.open.update(each.seq for each in fresh)
        self.taken = found.through
        return [each for each in fresh if not self._skip(each.seq)]

    def _skip(self, seq: int) -> bool:
        done = self._before.get(seq, (0, False))[1]
        if done:
            self.done(seq)
        return done

    def open_ahead(self, seq: int) -> bool:
        """Hand this one out before its turn; False: that was done already. On the loop."""
        if seq <= self.taken or seq in self.open or seq in self._ahead:
            return False
        self.open.add(seq)
        return True

    def one(self, seq: int) -> Wanted | None:
        """The delivery with this `seq`, if it is one to send."""
        found = self._read(seq - 1, seq, 1)
        return found[0] if found else None

    def _read(self, after: int, through: int, limit: int) -> list[Wanted]:
        return self._attempts.wanted(after, through, limit, self._condition)

    def tries_before(self, seq: int) -> int:
        """How many tries there were before this forward was set anew."""
        return self._before.get(seq, (0, False))[0]

    def done(self, seq: int) -> None:
        """It needs no other try."""
        self.open.discard(seq)
        if seq > self.taken:
            self._ahead.add(seq)
        self._before.pop(seq, None)

    @property
    def reached(self) -> int:
        """Up to which `seq` there is nothing left to do."""
        return min(self.taken, *(seq - 1 for seq in self.open)) if self.open else self.taken
