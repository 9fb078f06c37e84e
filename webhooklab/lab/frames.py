"""What was captured, as DataFrames."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from webhooklab.lab.face import Face
from webhooklab.views import Since


class Frames(Face):
    """The frames of `Lab`. Each is a new one, yours to change; absent is NA, times aware UTC."""

    @property
    def events(self) -> pd.DataFrame:
        """One row per delivery, index `seq`. Times are aware UTC; absent is NA; yours to change."""
        return self._parts.views.events()

    @property
    def unbatched(self) -> pd.DataFrame:
        """One row per event, index (`seq`, `item`): a batch has as many rows as it holds events."""
        return self._parts.views.unbatched()

    @property
    def payloads(self) -> pd.DataFrame:
        """The JSON and form bodies as dotted columns (`data.object.id`), index `seq`.

        One row per delivery; NA where a body has no such field, or cannot be read. Lists stay
        lists, integers exact, times text. A top-level array or scalar is in column `$`.
        """
        return self._parts.views.payloads()

    def payloads_of(self, event_type: str) -> pd.DataFrame:
        """`payloads` of one event type, without the columns of others."""
        return self._parts.views.payloads(event_type)

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
        return self._parts.views.find(where, last=last, since=since, columns=columns)

    @property
    def log(self) -> pd.DataFrame:
        """Requests that were not captured, and answers that could not be made (`respond`).

        `refused_at`, `remote`, `status` (NA where no answer was possible), `reason`. Index
        `entry`; bounded, the oldest go.
        """
        return self._parts.views.log()

    @property
    def head(self) -> int:
        """The highest `seq` ever given, deleted ones included; 0 when there was none."""
        return self._parts.store.head
