"""`Lab`: assembly for a notebook, nothing else. Each method hands on to the part that does it."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

import pandas as pd

from webhooklab import files, progress
from webhooklab.defaults import (
    CAPTURE_PATH,
    FETCH_CONCURRENCY,
    HOST,
    MAX_BODY_BYTES,
    POLL_EVERY_SECONDS,
    WAIT_TIMEOUT_SECONDS,
)
from webhooklab.errors import (
    AttachedError,
    CaptureFileError,
    ClosedError,
    UnknownDeliveryError,
    WaitTimeout,
)
from webhooklab.following import Follower, Waiting, stream
from webhooklab.mapping import Expression, Mapping, Mappings
from webhooklab.ownership import Ownership
from webhooklab.pulling import Fetcher, Poller, Pulling
from webhooklab.records import EVENT_COLUMNS, Delivery
from webhooklab.refusals import refusal
from webhooklab.server import Server, owner_of
from webhooklab.store import Store
from webhooklab.views import Since, Views

if TYPE_CHECKING:
    from webhooklab.inbox import Description, Inbox, InboxWidget

_open_labs: dict[Path, Lab] = {}
_open_labs_lock = threading.RLock()


class Lab:
    """Captures webhooks into a file, and shows them as DataFrames.

    `Lab()` opens (or creates) the capture file `path` and listens at `url`. Opened again in the
    same process, the file's earlier Lab is closed first, so a cell can be run again and again.
    While another process listens for the file, this Lab is *attached*: it sees rows and does not
    listen; once that process has ended, opening the file again listens. A closed Lab still reads.

    `path`: None is a temporary file, gone when the process ends. `port`: None is the port that
    the file used last, else a free one, which it then remembers. `host`: on any other than a
    loopback address the URL has a segment that cannot be guessed, and all else gets 404.
    `max_body_bytes`: a larger body gets 413. `allow_origins`: web pages of these origins may read
    our answers (CORS); "*" is any. `snapshot`: when the Lab closes, its inbox becomes a static
    table of the newest deliveries, so that the saved notebook shows something without a kernel.

    Raises `CaptureFileError` for a file that cannot be used, `PortTakenError` for a port.
    """

    def __init__(
        self,
        path: str | Path | None = CAPTURE_PATH,
        *,
        host: str = HOST,
        port: int | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_origins: Sequence[str] = (),
        snapshot: bool = True,
    ) -> None:
        self.path = _resolve(path)
        self._snapshot = snapshot
        with _open_labs_lock:
            earlier = _open_labs.get(self.path)
            if earlier is not None:
                earlier.close()
            self._followers: dict[str, Follower] = {}
            self._server: Server | None = None
            self._inbox: Inbox | None = None
            self._closed = False
            self._closing = contextlib.ExitStack()
            with contextlib.ExitStack() as undo:
                undo.callback(self.close)
                self._open(host, port, max_body_bytes, allow_origins)
                undo.pop_all()

    def _open(
        self, host: str, port: int | None, max_body_bytes: int, allow_origins: Sequence[str]
    ) -> None:
        """Open all parts; what was opened last is closed first, also when the next one fails."""
        self._store = Store(self.path)
        self._closing.callback(self._store.close)
        self._views = Views(self._store)
        self._mappings = Mappings(self._store)
        self._pulling = Pulling(
            self._store, refuse=lambda delivery: refusal(delivery, allow_origins=allow_origins)
        )
        self._closing.callback(self._pulling.stop)
        _open_labs[self.path] = self
        ownership = Ownership(self.path)
        if not ownership.acquire():
            warnings.warn(f"{self._headline()}.", stacklevel=4)
            return
        self._closing.callback(ownership.release)
        self._closing.callback(self._store.close)  # before the lock goes to somebody else
        self._server = Server(
            self._store,
            self._mappings.interpreter(),
            host=host,
            port=port,
            max_body_bytes=max_body_bytes,
            allow_origins=allow_origins,
        )
        self._closing.callback(self._server.stop)
        self._store.on_foreign_change = self._reload_mappings

    # State

    @property
    def url(self) -> str:
        """Where to send webhooks: ends in "/"; every path below it and every method is captured.

        Attached, it is the URL of the process that listens.
        """
        if self._server is not None:
            return self._server.url
        owner = owner_of(self._store)
        return owner.url if owner else ""

    @property
    def listening(self) -> bool:
        """Whether this Lab receives webhooks itself."""
        return self._server is not None and not self._closed

    @property
    def attached(self) -> bool:
        """Whether another process listens for the file, and this Lab only looks on."""
        return self._server is None and not self._closed

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Free the port and end what runs. Deliveries being committed are still answered.

        Reading goes on. A second call does nothing.
        """
        with _open_labs_lock:
            if self._closed:
                return
            self._closed = True
            if _open_labs.get(self.path) is self:
                del _open_labs[self.path]
        with self._closing:
            for follower in self._followers.values():
                self._closing.callback(follower.stop)
            if self._inbox is not None:
                self._closing.callback(self._inbox.close, snapshot=self._snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Frames

    @property
    def events(self) -> pd.DataFrame:
        """One row per delivery, index `seq`. Times are aware UTC; absent is NA; yours to change."""
        return self._views.events()

    @property
    def unbatched(self) -> pd.DataFrame:
        """One row per event, index (`seq`, `item`): a batch has as many rows as it holds events."""
        return self._views.unbatched()

    @property
    def payloads(self) -> pd.DataFrame:
        """The JSON and form bodies as dotted columns (`data.object.id`), index `seq`.

        One row per delivery; NA where a body has no such field, or cannot be read. Lists stay
        lists, integers exact, times text. A top-level array or scalar is in column `$`.
        """
        return self._views.payloads()

    def payloads_of(self, event_type: str) -> pd.DataFrame:
        """`payloads` of one event type, without the columns of others."""
        return self._views.payloads(event_type)

    def find(
        self,
        where: str | None = None,
        *,
        last: int | None = None,
        since: Since | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """The rows that match, in the inbox's filter language; the columns of `events`.

        `where`: `'type:order.shipped -path:/test "refund"'` (see `webhooklab.search`). `last`:
        only so many of the newest. `since`: a time, or a span back from now ("15min").
        `columns`: which; None is all but `body`. Raises `FilterError`.
        """
        return self._views.find(where, last=last, since=since, columns=columns)

    @property
    def log(self) -> pd.DataFrame:
        """Requests that were not captured: `refused_at`, `remote`, `status`, `reason`.

        `status` is NA where no answer was possible. Index `entry`; bounded, the oldest go.
        """
        return self._views.log()

    @property
    def head(self) -> int:
        """The highest `seq` ever given, deleted ones included; 0 when there was none."""
        return self._store.head

    # Single deliveries

    def __len__(self) -> int:
        return self._store.count()

    def __iter__(self) -> Iterator[Delivery]:
        seq = 0
        while found := self._store.following(seq, 1):
            seq = found[0].seq
            yield found[0]

    @overload
    def __getitem__(self, key: int) -> Delivery: ...
    @overload
    def __getitem__(self, key: slice) -> pd.DataFrame: ...
    def __getitem__(self, key: int | slice) -> Delivery | pd.DataFrame:
        """`lab[42]` is the delivery with this `seq`, `lab[-1]` the newest.

        `lab[41:44]` is a frame of those with `41 <= seq < 44`, `lab[-3:]` of the newest three.
        """
        if isinstance(key, slice):
            return self._views.between(key.start, key.stop).iloc[:: key.step]
        delivery = self._store.nth(key) if key < 0 else self._store.delivery(key)
        if delivery is None:
            raise UnknownDeliveryError(
                f"There is no delivery {key} in {self.path.name}: it holds {len(self)}, "
                "see lab.events.index."
            )
        return delivery

    # Waiting and reacting

    def wait(
        self,
        count: int = 1,
        *,
        after: int | None = None,
        timeout: float = WAIT_TIMEOUT_SECONDS,
        event_type: str | None = None,
    ) -> pd.DataFrame:
        """Block until `count` deliveries with `seq > after` are there; returns them.

        `after` None: from now. `timeout` in seconds; then `WaitTimeout`, with those that came.
        Raises `ClosedError` on a closed Lab, to which nothing comes.
        """
        waiting = self._waiting(count, after, timeout, event_type)
        with progress.bar(count, "waiting for webhooks") as advance:
            while not waiting.over:
                advance(waiting.step())
        return self._waited(waiting, count, timeout)

    async def wait_async(
        self,
        count: int = 1,
        *,
        after: int | None = None,
        timeout: float = WAIT_TIMEOUT_SECONDS,  # noqa: ASYNC109 - the same call as `wait`
        event_type: str | None = None,
    ) -> pd.DataFrame:
        """`wait` without blocking the notebook's event loop."""
        waiting = self._waiting(count, after, timeout, event_type)
        await waiting.finish()
        return self._waited(waiting, count, timeout)

    def expect(
        self,
        count: int = 1,
        *,
        timeout: float = WAIT_TIMEOUT_SECONDS,
        event_type: str | None = None,
    ) -> Expectation:
        """`with lab.expect(2) as got:` waits, at the end of the block, for two deliveries.

        They are counted from before the block, so that nothing that the block causes is missed.
        After it, `got.events` is their frame.
        """
        return Expectation(self, count, timeout, event_type)

    def _waiting(
        self, count: int, after: int | None, timeout: float, event_type: str | None
    ) -> Waiting:
        start = self.head if after is None else after
        return Waiting(self._store, count, start, timeout, event_type)

    def _waited(self, waiting: Waiting, count: int, timeout: float) -> pd.DataFrame:
        events = self._views.rows(waiting.seqs)
        if len(events) < count:
            raise WaitTimeout(
                f"{len(events)} of {count} deliveries came within {timeout:g} s. Is the sender "
                f"told this URL: {self.url}? Those that came are in the error's .events.",
                events,
            )
        return events

    def on_delivery(
        self, function: Callable[[Delivery], object], *, name: str | None = None
    ) -> Follower:
        """Call `function` with each delivery from now on, after its commit, on a thread.

        Replaces the earlier one of the same `name` (None: the function's own). Returns what has
        `.stop()`. An exception is shown; the next delivery comes all the same.
        """
        self._check_open()
        key = name or str(getattr(function, "__qualname__", repr(function)))
        earlier = self._followers.pop(key, None)
        if earlier is not None:
            earlier.stop()
        self._followers[key] = Follower(self._store, function, self.head)
        return self._followers[key]

    def stream(self, *, after: int | None = None) -> AsyncIterator[Delivery]:
        """`async for delivery in lab.stream()`: each delivery from now on, until the Lab closes.

        `after`: from those with `seq > after` on; None: from now.
        """
        start = self.head if after is None else after
        return stream(self._store, start, lambda: self._closed)

    # Meaning

    def map(
        self,
        *,
        path: str = "/",
        event_type: Expression | None = None,
        event_id: Expression | None = None,
        entity_type: Expression | None = None,
        entity_id: Expression | None = None,
        occurred_at: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
    ) -> None:
        """Say where columns come from, for deliveries to `path` and below.

        Each is JMESPath over the body (https://jmespath.org), or a function of the delivery;
        None leaves the column to the provider. Applies to what is captured and to what comes;
        replaces the earlier mapping of the same `path`. JMESPath is kept in the file, functions
        for as long as this Lab is open. Raises `MappingError`.
        """
        self._check_open()
        mapping = Mapping(
            path=path,
            event_type=event_type,
            event_id=event_id,
            entity_type=entity_type,
            entity_id=entity_id,
            occurred_at=occurred_at,
            version=version,
            state=state,
        )
        self._mappings.add(mapping)
        self._reload_mappings()
        if self._server is not None:
            self._server.settle()  # what is being committed has been interpreted as before
        with progress.bar(len(self), "deriving columns again") as advance:
            self._store.derive_again(self._mappings.interpreter().interpret, advance)

    def _reload_mappings(self) -> None:
        if self._server is not None:
            self._server.ingress.interpreter = self._mappings.interpreter()

    # The pull side

    def poll(
        self,
        url: str,
        *,
        every: float = POLL_EVERY_SECONDS,
        name: str | None = None,
        items: Expression | None = None,
        provider: str | None = None,
        entity_type: str | None = None,
        entity_id: Expression = "id",
        version: Expression | None = None,
        auth: Any = None,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        next_url: Expression | None = None,
        full: bool = True,
    ) -> Poller:
        """Ask an API every so many seconds from now on; returns what has `.stop()` and `.stats`.

        `url`: a collection or one resource. `items`: where its list is; None finds it. `entity_id`
        and `version`: JMESPath over an item, or a function of it; `version` None: there is none,
        and states are compared. `auth`, `headers`, `params`: as httpx takes them. `next_url`: the
        next page; None follows `Link: rel="next"` (RFC 8288), or a next URL in the body. `full`:
        what is no longer in the list is deleted; False for a filter or a window. Replaces the
        earlier poller of the same `name` (None: the URL). Raises `PullArgumentError`.
        """
        self._check_owner("poll")
        return self._pulling.poll(
            url,
            every=every,
            name=name,
            items=items,
            provider=provider,
            entity_type=entity_type,
            entity_id=entity_id,
            version=version,
            auth=auth,
            headers=headers,
            params=params,
            next_url=next_url,
            full=full,
        )

    def fetch_related(
        self,
        url_template: str,
        *,
        name: str | None = None,
        auth: Any = None,
        headers: dict[str, str] | None = None,
        path: str = "/",
        event_type: str | None = None,
        state: Expression | None = None,
        resource: Expression | None = None,
        entity_type: str | None = None,
        entity_id: Expression = "id",
        version: Expression | None = None,
        concurrency: int = FETCH_CONCURRENCY,
    ) -> Fetcher:
        """After each delivery from now on, GET what it is about: thin events.

        `url_template`: `"https://api.example.com/orders/{data.id}"`, with JMESPath over the body in
        braces; each value becomes one path segment, and nothing leaves the template's origin.
        `path`, `event_type`: only for deliveries below, or of, these. `state`: where the payload
        has the entity; `resource`: where the answer has it. Replaces the earlier one of the same
        `name` (None: the template). Returns what has `.stop()`, `.drain()` and `.stats`.
        """
        self._check_owner("fetch")
        return self._pulling.fetch_related(
            url_template,
            name=name,
            auth=auth,
            headers=headers,
            path=path,
            event_type=event_type,
            state=state,
            resource=resource,
            entity_type=entity_type,
            entity_id=entity_id,
            version=version,
            concurrency=concurrency,
        )

    @property
    def polls(self) -> pd.DataFrame:
        """One row per poll, changed anything or not, index `poll`."""
        return self._pulling.observations.polls()

    @property
    def snapshots(self) -> pd.DataFrame:
        """One row per changed state of an entity, as polls saw it, index `snapshot`."""
        return self._pulling.observations.snapshots()

    @property
    def fetches(self) -> pd.DataFrame:
        """One row per event that a GET followed, index `fetch`."""
        return self._pulling.observations.fetches()

    # Out, and away

    def export(
        self,
        path: str | Path,
        events: pd.DataFrame | None = None,
        *,
        secrets: bool = False,
        overwrite: bool = True,
    ) -> Path:
        """Write deliveries to a `.csv`, `.jsonl` or `.parquet` file; returns its path.

        `events`: some rows of `lab.events`; None is all. Credentials in headers and query strings
        are `***` unless `secrets=True`. The file appears whole or not at all, for its owner only.
        Raises `FileFormatError` for another suffix, `ExportError` when it cannot be written.
        """
        target = Path(path)
        if events is not None:
            return files.export_frame(target, events, secrets=secrets, overwrite=overwrite)
        return files.export_store(target, self._store, secrets=secrets, overwrite=overwrite)

    def delete(self, seqs: int | Iterable[int]) -> int:
        """Delete deliveries for good: their bytes leave the file. Returns how many there were.

        `seqs`: one, several, or an index (`lab.find("path:/test").index`).
        """
        self._check_open()
        wanted = [seqs] if isinstance(seqs, int) else [int(seq) for seq in seqs]
        self._pulling.observations.forget_fetches(wanted)
        with progress.bar(len(wanted), "deleting") as advance:
            return self._store.delete(wanted, advance)

    def clear(self) -> int:
        """Delete all deliveries, the log and what was pulled, for good.

        Returns how many deliveries there were. Pollers and fetchers
        are stopped. `seq` goes on where it was: none is ever given twice.
        """
        self._check_open()
        self._pulling.stop()
        self._pulling.observations.clear()
        self._store.clear_refusals()
        return self.delete(self._store.seqs_after(0, -1, "1", ()))

    # Display

    @property
    def inbox(self) -> InboxWidget:
        """The live inbox, an ipywidget: to display, or to put into a layout of widgets."""
        return self._shown().widget

    def _shown(self) -> Inbox:
        if self._inbox is None:
            from webhooklab.inbox import Inbox  # noqa: PLC0415 - not every Lab is looked at

            self._inbox = Inbox(self._store, self._describe, self._export_found)
        return self._inbox

    def _describe(self) -> Description:
        from webhooklab.inbox import Description  # noqa: PLC0415 - not every Lab is looked at

        status = "closed" if self._closed else "listening" if self.listening else "attached"
        return Description(self.url, status, self.path.name, self._headline())

    def _export_found(self, path: Path, where: str) -> Path:
        found = self.find(where, columns=tuple(EVENT_COLUMNS)) if where.strip() else None
        return self.export(path, found)

    def _ipython_display_(self) -> None:
        """Show the inbox where a notebook asks; raises `NotImplementedError` where none does."""
        from webhooklab.inbox import in_notebook  # noqa: PLC0415 - not every Lab is looked at

        if not in_notebook():
            raise NotImplementedError
        self._shown().display()

    def _headline(self) -> str:
        if self._closed:
            return f"closed, {self.path.name} can still be read"
        if self._server is not None:
            return f"listening, captures go to {self.path.name}"
        owner = owner_of(self._store)
        who = f"process {owner.pid} listens at {owner.url}" if owner else "another process listens"
        return f"attached to {self.path.name}: {who}, this Lab sees its rows"

    def __repr__(self) -> str:
        return f"<Lab {self.url} {self._headline()}; {len(self):,} deliveries>"

    def _check_owner(self, what: str) -> None:
        self._check_open()
        if self.attached:
            raise AttachedError(
                f"This Lab is attached, and would {what} beside the process that listens: "
                "do it there, or end that process and open the Lab again."
            )

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(
                f"This Lab is closed; {self.path.name} can still be read. "
                "Open it again with Lab(path)."
            )


class Expectation:
    """What `lab.expect` gives: `events`, the deliveries that came, once the block has ended."""

    def __init__(self, lab: Lab, count: int, timeout: float, event_type: str | None) -> None:
        self.events = lab.find(last=0, columns=tuple(EVENT_COLUMNS))
        self._lab = lab
        self._count = count
        self._timeout = timeout
        self._event_type = event_type
        self._after = 0

    def __len__(self) -> int:
        return len(self.events)

    def __enter__(self) -> Self:
        self._after = self._lab.head
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            self.events = self._lab.wait(
                self._count,
                after=self._after,
                timeout=self._timeout,
                event_type=self._event_type,
            )


def _resolve(path: str | Path | None) -> Path:
    if path is None:
        folder = tempfile.mkdtemp(prefix="webhooklab-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return Path(folder, CAPTURE_PATH).resolve()
    if str(path) == ":memory:":
        raise CaptureFileError(
            '":memory:" would lose everything with the kernel: use Lab(None) for a temporary file.'
        )
    return Path(path).expanduser().resolve()


@atexit.register
def _close_all() -> None:
    for lab in list(_open_labs.values()):
        lab.close()
