"""Push held against pull."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Literal, overload

import pandas as pd

from webhooklab import clock, evidence, listened, recovery
from webhooklab.compared import Comparison
from webhooklab.comparison import Explanation
from webhooklab.defaults import GRACE_SECONDS
from webhooklab.errors import CaptureFileError, ListenerProcessError
from webhooklab.lab.frames import Frames
from webhooklab.mapping import Expression, Mapping
from webhooklab.sources import RECOVERED

if TYPE_CHECKING:
    from webhooklab.live import LiveComparison


class Comparing(Frames):
    """`compare` and `explain`."""

    _live: LiveComparison | None = None
    _snapshot: bool

    @overload
    def compare(
        self,
        *,
        entity_id: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
        grace: float = GRACE_SECONDS,
        live: Literal[False] = False,
    ) -> Comparison: ...
    @overload
    def compare(
        self,
        *,
        entity_id: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
        grace: float = GRACE_SECONDS,
        live: Literal[True],
    ) -> LiveComparison: ...
    def compare(
        self,
        *,
        entity_id: Expression | None = None,
        version: Expression | None = None,
        state: Expression | None = None,
        grace: float = GRACE_SECONDS,
        live: bool = False,
    ) -> Comparison | LiveComparison:
        """Hold the captured events against the polled snapshots: what was missed, late, stale.

        `entity_id`, `version`, `state`: JMESPath over the body, or a function of the delivery, for
        all deliveries and for this comparison only; None is as `map` and the provider say. `grace`
        in seconds: how long after the first poll that saw a change its webhook may still come. 30
        is enough for what comes at the first try. A sender's next try may be five minutes later:
        until it comes the webhook is called missed, then no longer; `grace=600` waits for it.
        `.missed.recover()` makes a delivery of each missed webhook from the polled state
        (`source` "recovered"), and returns them. `live`: a widget instead, up to date until its
        `.stop()`, the next live one, or the end of the Lab. Raises `MappingError`; live,
        `ClosedError` on a closed Lab.
        """
        override = Mapping(entity_id=entity_id, version=version, state=state)
        override.check()
        return self._go_live(override, grace) if live else self._compare(override, grace)

    def _compare(self, override: Mapping, grace: float) -> Comparison:
        self._settle()
        # First up to when the file tells, then the deliveries: none is missing of those until then.
        # Those that are deleted meanwhile have left their holes when we ask when we listened.
        store, observations = self._parts.store, self._parts.pulling.observations
        now = clock.to_datetime(listened.told_until(store))
        snapshots = evidence.pulled(observations, "snapshots")
        polls, fetches = observations.polls(), evidence.pulled(observations, "fetches")
        interpreter = self._parts.mappings.interpreter()
        events = evidence.pushed(store, self._parts.views, interpreter, override)
        listening = listened.listened(store)
        return Comparison(
            events,
            snapshots,
            polls=polls,
            fetches=fetches,
            listening=listening,
            grace=grace,
            now=now,
            recover=self._recover,
        )

    def _go_live(self, override: Mapping, grace: float) -> LiveComparison:
        from webhooklab.live import LiveComparison, Refreshing  # noqa: PLC0415 - few Labs have one

        self._parts.check_open()
        made = Refreshing(partial(self._compare, override, grace), self._mark, grace)
        if self._live is None:
            self._parts.closing.callback(self._stop_live)
        self._stop_live()
        self._live = LiveComparison(
            made,
            lambda: list(self._parts.pulling.pollers.values()),
            file=self._parts.path.name,
            snapshot=self._snapshot,
        )
        return self._live

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _mark(self) -> Hashable:
        """What a comparison is made of: with equal marks there are the same rows."""
        with self._parts.store.reading() as connection:
            deliveries = self._parts.store.state(connection)
            dropped = self._parts.store.dropped(connection)
        return deliveries, dropped, self._parts.pulling.observations.newest()

    def _settle(self) -> None:
        """Have what came committed. What cannot be written down cannot be judged, but compared."""
        if not self._parts.closed:
            with contextlib.suppress(CaptureFileError, ListenerProcessError):
                self._parts.listening.settle()

    def _recover(self, missed: pd.DataFrame) -> pd.DataFrame:
        self._parts.check_open()
        before = self.find(f"source:{RECOVERED}", columns=["event_id"])["event_id"]
        known = {str(name): int(seq) for seq, name in before.items()}  # type: ignore[call-overload]
        snapshots = evidence.pulled(self._parts.pulling.observations, "snapshots")
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

        A span ends early where that cannot be known: at a crash, while the machine slept, and
        before a request that was refused (`log`). Where deliveries were deleted there are gaps.
        """
        self._settle()
        return listened.listened(self._parts.store)
