"""What was pulled, kept in the capture file and shown as frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import pandas as pd

from webhooklab import states
from webhooklab.bodies import parse_json
from webhooklab.columns import Column, Counts, Flags, Objects, Texts, Times, frame
from webhooklab.pulled import Change, Fetch, Known, Poll, Shape, Spoken, Subject
from webhooklab.store import Connection, Store
from webhooklab.store import observations as rows

Kinds: TypeAlias = Mapping[str, type[Column]]

POLL_COLUMNS: Final[Kinds] = {
    "poller": Texts,
    "url": Texts,
    "requested_at": Times,
    "polled_at": Times,
    "status": Counts,
    "elapsed_ms": Counts,
    "response_bytes": Counts,
    "request_count": Counts,
    "item_count": Counts,
    "changed": Counts,
    "not_modified": Flags,
    "complete": Flags,
    "rate_remaining": Counts,
    "server_date": Times,
    "error": Texts,
}
"""The columns of `lab.polls`. The index is `poll`."""

SNAPSHOT_COLUMNS: Final[Kinds] = {
    "poller": Texts,
    "provider": Texts,
    "entity_type": Texts,
    "entity_id": Texts,
    "version": Texts,
    "not_seen_at": Times,
    "polled_at": Times,
    "last_seen_at": Times,
    "state": Objects,
    "changed_fields": Objects,
    "deleted": Flags,
}
"""The columns of `lab.snapshots`. The index is `snapshot`."""

FETCH_COLUMNS: Final[Kinds] = {
    "seq": Counts,
    "item": Counts,
    "url": Texts,
    "fetched_at": Times,
    "entity_type": Texts,
    "entity_id": Texts,
    "version": Texts,
    "status": Counts,
    "elapsed_ms": Counts,
    "attempts": Counts,
    "state": Objects,
    "superseded": Flags,
    "difference": Objects,
    "error": Texts,
}
"""The columns of `lab.fetches`. The index is `fetch`."""

_JSON: Final = ("state", "changed_fields", "difference")
_PART_ROWS: Final = 20_000
"""Read at one time, so that a frame is never in memory twice."""


class Observations:
    """The polls, snapshots and fetches of one capture file. From any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Writing

    def begin(self, poller: str, definition: str) -> Known:
        """What this poller knows; nothing, when another definition had its name before."""
        with self._store.writing() as connection:
            before = rows.definition(connection, poller)
            if before is None or before[0] != definition:
                rows.define(connection, poller, definition)
                return Known()
            return _known(connection, poller, before[1])

    def record(
        self,
        subject: Subject,
        poll: Poll,
        *,
        shape: Shape | None = None,
        changes: Sequence[Change] = (),
        away: Sequence[str] = (),
        back: Sequence[str] = (),
    ) -> None:
        """Store a poll with all that it changes, or nothing of it. Raises `CaptureFileError`."""
        with self._store.writing() as connection:
            # Before the poll is there: what it shows last was shown by the poll before it.
            rows.close_rows(connection, subject.poller, [each.entity_id for each in changes])
            rows.close_rows(connection, subject.poller, away)
            rows.reopen_rows(connection, subject.poller, back)
            if shape is not None:
                rows.set_shape(connection, subject.poller, shape)
            poll_id = rows.insert_poll(connection, (subject.poller, *_values(poll)))
            made = [_snapshot(connection, subject, poll, change) for change in changes]
            rows.replace_rows(connection, poll_id, made)

    def record_fetches(self, fetcher: str, fetches: Sequence[Fetch]) -> None:
        """Store fetches, but for deliveries that were deleted meanwhile."""
        with self._store.writing() as connection:
            rows.insert_fetches(connection, fetcher, [_values(fetch) for fetch in fetches])

    def spoken(self, seq: int) -> list[Spoken]:
        """What the events of a delivery say; [] when it is not there (any more)."""
        with self._store.reading() as connection:
            return [Spoken(seq, *row) for row in rows.events_of(connection, seq)]

    def forget_fetches(self, seqs: Sequence[int]) -> None:
        """Delete what was fetched for these deliveries."""
        with self._store.writing() as connection:
            rows.forget_fetches(connection, seqs)

    def clear(self) -> None:
        """Delete all that was pulled. What runs must be stopped first."""
        with self._store.writing() as connection:
            rows.clear(connection)

    def newest(self) -> tuple[int, int]:
        """The newest poll and the newest fetch, by their index; 0 where there is none."""
        with self._store.reading() as connection:
            return rows.newest(connection)

    def states(self, table: Literal["snapshots", "fetches"], ids: Sequence[int]) -> list[Any]:
        """The states of some rows of `snapshots` or `fetches`; None where there is none."""
        with self._store.reading() as connection:
            found = dict(rows.states(connection, table, ids))
        return [_parsed(found.get(each)) for each in ids]

    # Frames

    def polls(self) -> pd.DataFrame:
        """`lab.polls`: one row per poll, changed anything or not."""
        return self._frame(rows.polls, POLL_COLUMNS, "poll")

    def light(self, table: Literal["snapshots", "fetches"]) -> pd.DataFrame:
        """`snapshots` or `fetches` without what is JSON in them."""
        if table == "fetches":
            return self._frame(rows.fetches, _without_json(FETCH_COLUMNS), "fetch")
        return self._frame(rows.snapshots, _without_json(SNAPSHOT_COLUMNS), "snapshot")

    def snapshots(self, *, parsed: bool = True) -> pd.DataFrame:
        """`lab.snapshots`: one row per changed state.

        `state` is what the JSON is (a dict), NA where `deleted`; `changed_fields` a list of dotted
        paths, NA for a state that has none before it. `parsed=False`: both are JSON text.
        """
        return self._frame(rows.snapshots, SNAPSHOT_COLUMNS, "snapshot", parsed=parsed)

    def fetches(self, *, parsed: bool = True) -> pd.DataFrame:
        """`lab.fetches`: one row per event. `parsed=False`: JSON stays text."""
        return self._frame(rows.fetches, FETCH_COLUMNS, "fetch", parsed=parsed)

    def _frame(
        self,
        read: Callable[[Connection, Sequence[str]], rows.Rows],
        kinds: Kinds,
        index_name: str,
        *,
        parsed: bool = True,
    ) -> pd.DataFrame:
        index = Counts()
        made = {
            name: Texts() if name in _JSON and not parsed else kind()
            for name, kind in kinds.items()
        }
        with self._store.reading() as connection:
            found = read(connection, list(made))
            while part := found.fetchmany(_PART_ROWS):
                ids, *columns = zip(*part, strict=True)
                index.append(ids)
                for name, values in zip(made, columns, strict=True):
                    as_json = name in _JSON and parsed
                    made[name].append([_parsed(each) for each in values] if as_json else values)
        return frame(made, index.index(index_name)).copy()


def _without_json(kinds: Kinds) -> Kinds:
    return {name: kind for name, kind in kinds.items() if name not in _JSON}


def _parsed(text: str | None) -> Any:
    return None if text is None else parse_json(text.encode())


def _values(record: Poll | Fetch) -> list[Any]:
    return [getattr(record, name) for name in record.__slots__]


def _known(connection: Connection, poller: str, shape: Any) -> Known:
    current = rows.known(connection, poller)
    return Known(
        shape=shape,
        proved_at=rows.proved_at(connection, poller),
        fingerprints={entity_id: mark for entity_id, mark, _, _ in current},
        deleted={entity_id for entity_id, _, deleted, _ in current if deleted},
        away={entity_id for entity_id, _, deleted, away in current if away and not deleted},
    )


def _snapshot(connection: Connection, subject: Subject, poll: Poll, change: Change) -> list[Any]:
    before, seen_at = rows.current_state(connection, subject.poller, change.entity_id)
    fields = None
    if before is not None and change.state is not None:
        paths = states.changed_fields(_parsed(before), _parsed(change.state))
        fields = states.dump(paths)
    return [
        subject.poller,
        subject.provider,
        subject.entity_type,
        change.entity_id,
        change.version,
        _proved_at(change, seen_at),
        poll.polled_at,
        None,
        change.state,
        fields,
        change.state is None,
        change.fingerprint,
    ]


def _proved_at(change: Change, seen_at: int | None) -> int | None:
    """When a state was not there yet: what had left a window was seen last before that."""
    if change.not_seen_at is None or seen_at is None:
        return change.not_seen_at
    return min(change.not_seen_at, seen_at)
