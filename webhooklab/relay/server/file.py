"""A relay's file: what is known of channels and deliveries, read at once and written in groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from webhooklab.defaults import MAX_COMMIT_ROWS
from webhooklab.errors import CaptureFileError, RelayError
from webhooklab.headers import Pair
from webhooklab.ownership import Ownership
from webhooklab.relay.server.applying import Changes, Totals
from webhooklab.relay.server.changes import Became, Change, Drop
from webhooklab.relay.server.database import opened, reading, transaction
from webhooklab.relay.server.keys import hashed
from webhooklab.relay.server.settings import Settings
from webhooklab.store.committer import Committer

Done: TypeAlias = Callable[[Sequence[Became | CaptureFileError]], object]

_VACUUM_PAGES: Final = 1_000
_COLUMNS: Final = "id, key_hash, sealed_token, acked, queued, queued_bytes"


@dataclass(frozen=True, slots=True)
class Known:
    """What the file knows of a channel."""

    id: int
    key_hash: bytes = field(repr=False)
    sealed_token: bytes = field(repr=False)
    acked: int
    queued: int
    queued_bytes: int


@dataclass(frozen=True, slots=True)
class Head:
    """A delivery without its body. `origin` and `rest` stand before and after the token."""

    method: str
    origin: str
    rest: str
    headers: tuple[Pair, ...]
    remote: str | None

    def packed(self) -> str:
        """As the file has it."""
        fields = [self.method, self.origin, self.rest, self.headers, self.remote]
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def unpacked(cls, text: str) -> Head:
        """As `packed` made it."""
        method, origin, rest, headers, remote = json.loads(text)
        return cls(method, origin, rest, tuple((name, value) for name, value in headers), remote)


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery as the file has it."""

    sequence: int
    received_at: int
    head: Head
    body: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return len(self.body)


class RelayFile:
    """Reads on one thread, the loop's; writes on its own. Raises `RelayError` when taken."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._ownership = Ownership(path)
        if not self._ownership.acquire():
            raise RelayError(f"Another relay runs with {path}: end that one, or name another file.")
        try:
            self._writer = opened(path)
            self._reader = opened(path)
        except BaseException:
            self._ownership.release()
            raise
        self._changes = Changes(self._writer, settings)
        self._committer: Committer[Change, Became] = Committer(self._commit, limit=MAX_COMMIT_ROWS)

    @property
    def totals(self) -> Totals:
        """Of the whole file, as of the last commit."""
        return self._changes.totals

    def submit(self, changes: Sequence[Change], done: Done) -> bool:
        """Have changes committed; `done` gets what became of each, on the file's thread."""
        return self._committer.submit(changes, done)

    def _commit(self, changes: list[Change]) -> list[Became]:
        try:
            with transaction(self._writer):
                became = [self._changes.apply(change) for change in changes]
        except BaseException:
            self._changes.reread()
            raise
        if any(isinstance(change, Drop) for change in changes):
            self._writer.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        return became

    def by_token(self, token: str) -> Known | None:
        """The channel that a token writes to. Found by its hash: no time tells how near it was."""
        return self._known("token_hash", hashed(token))

    def by_name(self, name: str) -> Known | None:
        """The channel of that name."""
        return self._known("name", name)

    def _known(self, column: str, value: Any) -> Known | None:
        query = f"SELECT {_COLUMNS} FROM channel WHERE {column} = ?"
        with reading():
            row = self._reader.execute(query, (value,)).fetchone()
        return None if row is None else Known(*row)

    def next(self, channel: int, after: int) -> Kept | None:
        """The first delivery after a sequence."""
        with reading():
            row = self._reader.execute(
                "SELECT sequence, received_at, head, body FROM delivery "
                "WHERE channel = ? AND sequence > ? ORDER BY sequence LIMIT 1",
                (channel, after),
            ).fetchone()
        return None if row is None else Kept(row[0], row[1], Head.unpacked(row[2]), row[3])

    def close(self) -> None:
        """Commit what was submitted, and let go of the file. Repeatable."""
        self._committer.stop()
        self._reader.close()
        self._writer.close()
        self._ownership.release()
