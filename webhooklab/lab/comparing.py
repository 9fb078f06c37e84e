"""Push held against pull."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from webhooklab import clock, evidence, listened, recovery
from webhooklab.compared import Comparison
from webhooklab.comparison import Explanation
from webhooklab.defaults import GRACE_SECONDS
from webhooklab.lab.frames import Frames
from webhooklab.mapping import Expression, Mapping
from webhooklab.records import RECOVERED


class Comparing(Frames):
    """`compare` and `explain`."""

    def compare(
        self,
        *,
        entity_id: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
        grace: float = GRACE_SECONDS,
    ) -> Comparison:
        """Hold the captured events against the polled snapshots: what was missed, late, stale.

        `entity_id`, `version`, `state`: JMESPath over the body, or a function of the delivery, for
        all deliveries and for this comparison only; None is as `map` and the provider say. `grace`
        in seconds: how long after the first poll that saw a change its webhook may still come.
        `.missed.recover()` makes a delivery of each missed webhook from the polled state
        (`source` "recovered"), and returns them. Raises `MappingError`.
        """
        override = Mapping(entity_id=entity_id, version=version, state=state)
        override.check()
        now = self._settle()
        pulled = self._parts.pulling.observations
        events = self._parts.views.unbatched()
        return Comparison(
            evidence.pushed(events, self._parts.mappings.interpreter(), override),
            pulled.snapshots(),
            polls=pulled.polls(),
            fetches=pulled.fetches(),
            listening=self.listened,
            grace=grace,
            now=now,
            recover=self._recover,
        )

    def _settle(self) -> datetime | None:
        """The time up to which everything that came is in the file; None: that of its newest row.

        Taken before anything is read, so that nothing that comes meanwhile is judged too early.
        """
        if self._parts.closed:
            return None
        self._parts.settle()
        return clock.to_datetime(clock.now_us())

    def _recover(self, missed: pd.DataFrame) -> pd.DataFrame:
        self._parts.check_open()
        before = self.find(f"source:{RECOVERED}", columns=["event_id"])["event_id"]
        known = {str(name): int(seq) for seq, name in before.items()}  # type: ignore[call-overload]
        snapshots = self._parts.pulling.observations.snapshots()
        return self._parts.views.rows(recovery.recover(self._parts.store, missed, snapshots, known))

    def explain(self, entity_id: object, *, grace: float = GRACE_SECONDS) -> Explanation:
        """One entity's life on one line, and in one sentence to paste into a ticket.

        What happened when, by whom we heard of it, and what is known to be missing; `entity_id` as
        in `events` (a number is read as its text), `grace` as in `compare`.
        """
        return self.compare(grace=grace).explain(entity_id)

    @property
    def listened(self) -> pd.DataFrame:
        """When deliveries could reach this file: `started_at`, `stopped_at`, index `span`.

        A span ends early where that cannot be known: at a crash, while the machine slept, before a
        request that was refused (`log`), and where deliveries were deleted.
        """
        return listened.listened(self._parts.store)
