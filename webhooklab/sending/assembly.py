"""All that sends on for one capture file: forwards by name, on one loop of their own."""

from __future__ import annotations

import threading

import pandas as pd

from webhooklab.attempts import Attempts
from webhooklab.background import BackgroundLoop
from webhooklab.records import Delivery
from webhooklab.refusals import Refuse, no_refusal
from webhooklab.sending.forward import Forward
from webhooklab.sending.given import Events, Rows
from webhooklab.sending.replay import Replay, ReplayOptions
from webhooklab.sending.route import Route
from webhooklab.store import Store


class Sending:
    """Starts forwards, in place of those of the same name, and stops all of them.

    `refuse` says for which deliveries nothing is sent on, and why.
    """

    def __init__(self, store: Store, *, refuse: Refuse = no_refusal) -> None:
        self.attempts = Attempts(store)
        self.forwards: dict[str, Forward] = {}
        self._store = store
        self._refuse = refuse
        self._background = BackgroundLoop("webhooklab-sending")
        self._lock = threading.Lock()

    def forward(self, route: Route) -> Forward:
        """`lab.forward`. Raises as `Forward` does."""
        with self._lock:
            self._background.start()
            forward = Forward(route, self._store, self._background, refuse=self._refuse)
            earlier = self.forwards.pop(forward.name, None)
            if earlier is not None:
                earlier.stop()
            self.forwards[forward.name] = forward.start()
            return forward

    def replay(self, events: Events, options: ReplayOptions) -> pd.DataFrame:
        """`lab.replay`. Raises as `Rows` and `Replay` do."""
        replay = Replay(Rows(events, self._store), options, self.attempts)
        with self._lock:
            self._background.start()
        replay.run(self._background)
        return self.attempts.frame(replay.sender)

    def refusal(self, delivery: Delivery) -> str | None:
        """Why a delivery is not forwarded; None: it may be."""
        return self._refuse(delivery, unverified=False)

    def settle(self) -> None:
        """Have all tries so far in the file."""
        for forward in list(self.forwards.values()):
            forward.settle()

    def stop(self) -> None:
        """Stop all, at once; what is left goes out when a forward is set again. Repeatable."""
        with self._lock:
            for forward in self.forwards.values():
                forward.stop()
            self._background.stop()
