"""Dropping what a capture file is no longer to keep: in the background, a little at a time.

Deliveries go by the time they were stored, the oldest first, with what was fetched for them. Polls
and states that ended before the newest delivery that was dropped go with them: there is nothing
left that they could be held against. What a poller goes on from stays.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Self

from webhooklab import clock
from webhooklab.defaults import (
    DROP_CHUNK_ROWS,
    DROP_REST_SHARE,
    MIN_KEPT_ROWS,
    RETENTION_EVERY_SECONDS,
)
from webhooklab.errors import CaptureFileError
from webhooklab.retention import Keep
from webhooklab.store import Store

logger = logging.getLogger(__name__)

_PULLED_EVERY_SECONDS: Final = 600.0


class Retaining:
    """Keeps a file to what `keep` says (None: everything), from `start` to `stop`."""

    def __init__(self, store: Store, keep: Keep | None) -> None:
        self._store = store
        self._keep = keep
        self._stopping = False
        self._look = threading.Event()
        self._counted = (-1, 0, 0)  # revision, head, and how many deliveries there were
        self._pulled_at = -_PULLED_EVERY_SECONDS
        self._thread = threading.Thread(target=self._run, name="webhooklab-retention", daemon=True)

    @property
    def keep(self) -> Keep | None:
        """What is kept; None: everything. May be set at any time."""
        return self._keep

    @keep.setter
    def keep(self, keep: Keep | None) -> None:
        self._keep = keep
        self._look.set()

    def start(self) -> Self:
        """Look now, and from now on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the step that is under way. Repeatable."""
        self._stopping = True
        self._look.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            try:
                if self._keep is not None:
                    self._hold_to(self._keep)
            except CaptureFileError as error:  # a full disk or a lock may be gone the next time
                logger.warning("older deliveries could not be dropped: %s", error)
            self._look.wait(RETENTION_EVERY_SECONDS)
            self._look.clear()  # before what it tells of is looked at, or that could be missed

    def _hold_to(self, keep: Keep) -> None:
        while not self._stopping and keep is self._keep:
            begun = clock.monotonic()
            if not self._step(keep):
                break
            clock.pause((clock.monotonic() - begun) * DROP_REST_SHARE)
        if clock.monotonic() - self._pulled_at > _PULLED_EVERY_SECONDS:
            self._pulled_at = clock.monotonic()
            self._drop_pulled(keep)

    def _step(self, keep: Keep) -> bool:
        """Drop a little; whether there was anything to drop."""
        drop = self._store.drop_oldest
        if keep.size is not None:
            size, most = self._store.used_bytes() - keep.size, self._count() - MIN_KEPT_ROWS
            return size > 0 and most > 0 and drop(most, size=size) is not None
        if keep.rows is not None:
            most = self._count() - keep.rows
            return most > 0 and drop(most) is not None
        return drop(DROP_CHUNK_ROWS, before=_before(keep)) is not None

    def _count(self) -> int:
        """How many deliveries there are. Counted only when some were deleted from their midst."""
        with self._store.reading() as connection:
            revision, head = self._store.state(connection)
            gone = self._store.dropped(connection).count
            known, last, count = self._counted
            if revision != known:
                self._counted = (revision, head, self._store.counted(connection) + gone)
            else:
                self._counted = (revision, head, count + head - last)
        return self._counted[2] - gone

    def _drop_pulled(self, keep: Keep) -> None:
        with self._store.reading() as connection:
            until = max(self._store.dropped(connection).until, _before(keep) or 0)
        while not self._stopping:
            begun = clock.monotonic()
            if not self._store.drop_pulled(until):
                return
            clock.pause((clock.monotonic() - begun) * DROP_REST_SHARE)


def _before(keep: Keep) -> int | None:
    """What was stored before this time (us) goes; None where time does not matter."""
    return None if keep.seconds is None else clock.now_us() - round(keep.seconds * 1e6)
