"""Where deliveries arrive, and what has arrived there: in a capture file, at a forward's target."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.crashes.traffic import NAME, Shown, shown
from tests.raw_server import Got
from tests.target_parts import Target
from webhooklab.records import Delivery
from webhooklab.store import Store

ROWS = 500


@dataclass(frozen=True)
class Kept:
    """One that has arrived. `key`: what tells repetitions; None where there must be none."""

    name: str
    shown: Shown
    key: str | None = None


class Place(Protocol):
    """`new`: what has arrived since the last look; `whole`: all of it, looked at anew."""

    name: str

    def new(self) -> Iterator[Kept]: ...

    def whole(self) -> Iterator[Kept]: ...


class CaptureFile:
    """What a reader of its own sees, which has the file open only while it looks."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def new(self) -> Iterator[Kept]:
        store = Store(self._path, write=False)
        try:
            while rows := store.following(self._seen, ROWS):
                self._seen = rows[-1].seq
                yield from map(_captured, rows)
        finally:
            store.close()

    def whole(self) -> Iterator[Kept]:
        return CaptureFile(self._path).new()


def _captured(row: Delivery) -> Kept:
    seen = shown(row.method, row.path, row.query_string, row.headers.pairs, row.body)
    return Kept(row.headers.get(NAME, ""), seen)


class Arrivals:
    """What a forward's target got, as it was before it was sent on."""

    name = "target"

    def __init__(self, target: Target) -> None:
        self._target = target
        self._seen = 0

    def new(self) -> Iterator[Kept]:
        got = self._target.got[self._seen :]
        self._seen += len(got)
        return map(_sent_on, got)

    def whole(self) -> Iterator[Kept]:
        return Arrivals(self._target).new()


def _sent_on(got: Got) -> Kept:
    name = got.one(NAME)
    query = got.target.partition("?")[2]
    headers = [("Host", "test") if pair[0] == "Host" else pair for pair in got.pairs]
    kept = [pair for pair in headers if not _of_this_hop(pair)]
    method = got.line.partition(" ")[0]
    return Kept(name, shown(method, f"/{name}", query, kept, got.body), got.key)


def _of_this_hop(pair: tuple[str, str]) -> bool:
    """What who sends on adds: its marks, and that there is no body."""
    return pair[0].lower().startswith("webhooklab-") or pair == ("Content-Length", "0")
