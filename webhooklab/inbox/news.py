"""What has come of deliveries since: told to the browser as it is written down.

There is one for what was fetched, and one for what was tried: tables whose rows belong to
deliveries, and only grow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from webhooklab.inbox import limits
from webhooklab.inbox.tries import Tries
from webhooklab.inbox.truths import Truths
from webhooklab.store import Connection, Store, attempts, observations

Send: TypeAlias = Callable[[dict[str, Any], list[bytes]], object]


class Lookup(Protocol):
    """What there is of one delivery, as JSON of about so many bytes."""

    def of(self, seq: int, budget: int) -> bytes:
        """Look it up now."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: how its rows are told of (`told`), and what a delivery has of them (`answer`)."""

    told: str
    answer: str
    newest: Callable[[Connection], int]
    after: Callable[[Connection, int, int], list[tuple[int, int]]]


FETCHES: Final = Table("fetched", "truth", observations.newest_fetch, observations.fetched_after)
ATTEMPTS: Final = Table("attempted", "tries", attempts.newest, attempts.attempted_after)


class News:
    """Tells of a table's new rows, each once. On one thread."""

    def __init__(self, table: Table, lookup: Lookup, send: Send) -> None:
        self.told = table.told
        self.through = 0
        """The newest row that the browser was told of."""
        self._table = table
        self._lookup = lookup
        self._send = send

    def begin(self, connection: Connection) -> None:
        """Tell of what comes from now on."""
        self.through = self._table.newest(connection)

    def tell(self, connection: Connection, allowance: Callable[[], int]) -> int:
        """Say which deliveries have something new, and of the newest what; returns its bytes.

        `after` 0: any may have. `allowance`: how many bytes may be sent now.
        """
        before, newest = self.through, self._table.newest(connection)
        if newest == before:
            return 0
        found = self._table.after(connection, before, limits.HELD_ROWS)
        partly = len(found) == limits.HELD_ROWS or newest < before
        seqs = list(dict.fromkeys(seq for _, seq in found))
        self.through = newest
        after = 0 if partly else before
        self._send({"kind": self.told, "after": after, "through": newest, "seqs": seqs}, [])
        return self._push(seqs[-limits.PUSHED_NEWS :], allowance())

    def _push(self, seqs: list[int], allowance: int) -> int:
        spent = 0
        for seq in seqs:
            budget = max(0, min(limits.PUSHED_BODY_BYTES, allowance - spent))
            answer = self._lookup.of(seq, budget)
            spent += len(answer)
            self._send({"kind": self._table.answer, "seq": seq, "whole": False}, [answer])
        return spent


def news_of(store: Store, send: Send) -> tuple[News, ...]:
    """All that is told of."""
    return (News(FETCHES, Truths(store), send), News(ATTEMPTS, Tries(store), send))
