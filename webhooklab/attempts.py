"""What was sent on, kept in the capture file and shown as a frame."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from webhooklab.columns import Column, Counts, Objects, Texts, Times, frame
from webhooklab.sent import Attempt, Wanted
from webhooklab.store import Store
from webhooklab.store import attempts as rows

COLUMNS: Final[Mapping[str, type[Column]]] = {
    "seq": Counts,
    "target": Texts,
    "attempt": Counts,
    "started_at": Times,
    "elapsed_ms": Counts,
    "status": Counts,
    "error": Texts,
    "response_headers_json": Texts,
    "response_body": Objects,
}
"""The columns of `lab.attempts`. The index is `entry`."""

_PART_ROWS: Final = 2_000
"""Read at one time, so that a frame is never in memory twice."""
_IDENTITY: Final = "identity"


class Attempts:
    """The tries of one capture file, and how far its forwards are. From any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def frame(self, sender: str | None = None) -> pd.DataFrame:
        """`lab.attempts`: one row per try, the oldest first; or those of one sender.

        `response_body` is bytes as they came, content codings included; NA where nothing came.
        """
        index = Counts()
        made = {name: kind() for name, kind in COLUMNS.items()}
        with self._store.reading() as connection:
            found = rows.attempts(connection, list(made), sender)
            while part := found.fetchmany(_PART_ROWS):
                ids, *columns = zip(*part, strict=True)
                index.append(ids)
                for name, values in zip(made, columns, strict=True):
                    made[name].append(values)
        return frame(made, index.index("entry")).copy()

    def identity(self) -> str:
        """What tells this capture file from all others; made up when it is first asked for."""
        known = self._store.recall(_IDENTITY)
        if known is None:
            known = secrets.token_hex(8)
            self._store.remember(_IDENTITY, known)
        return known

    def begin(self, forward: str) -> int:
        """Up to which `seq` a forward has nothing to do: where it was, or what is there now."""
        head = self._store.head
        with self._store.writing() as connection:
            reached = rows.reached(connection, forward)
            if reached is None:
                rows.reach(connection, forward, head)
            return head if reached is None else reached

    def leave(self, forward: str) -> None:
        """Forget how far a forward is."""
        with self._store.writing() as connection:
            rows.leave(connection, forward)

    def record(self, tries: Sequence[Attempt], reached: Mapping[str, int] | None = None) -> None:
        """Store tries, and how far forwards are, or nothing of it. Raises `CaptureFileError`."""
        with self._store.writing() as connection:
            values = [[getattr(each, name) for name in rows.COLUMNS] for each in tries]
            rows.insert(connection, values)
            for forward, seq in (reached or {}).items():
                if rows.reached(connection, forward) is not None:
                    rows.reach(connection, forward, seq)

    def tried(self, sender: str, after: int) -> dict[int, tuple[int, bool]]:
        """What was tried above a `seq`: the last try of each, and whether there is no other."""
        with self._store.reading() as connection:
            found = rows.tried(connection, sender, after)
        return {seq: (attempt, bool(final)) for seq, attempt, final in found}

    def wanted(
        self, after: int, through: int, limit: int, condition: tuple[str, Sequence[object]]
    ) -> list[Wanted]:
        """The first deliveries above `after`, up to `through`, that match (SQL)."""
        with self._store.reading() as connection:
            found = rows.wanted(connection, after, through, limit, condition)
        return [Wanted(seq, entities) for seq, entities in found]

    def has(self, seq: int, received_at: int | None) -> bool:
        """Whether the file has such a delivery; `received_at` (us) None: of any time."""
        with self._store.reading() as connection:
            return rows.has(connection, seq, received_at)

    def forget(self, seqs: Sequence[int]) -> None:
        """Delete the tries to send these deliveries on."""
        with self._store.writing() as connection:
            rows.forget(connection, seqs)

    def clear(self) -> None:
        """Delete all. What runs must be stopped first."""
        with self._store.writing() as connection:
            rows.clear(connection)
