"""All that pulls for one capture file: pollers and fetchers by name, on one loop of their own."""

from __future__ import annotations

import threading
from typing import Any

from webhooklab.background import BackgroundLoop
from webhooklab.observations import Observations
from webhooklab.pulling.fetcher import Fetcher
from webhooklab.pulling.limits import Limits
from webhooklab.pulling.poller import Poller
from webhooklab.pulling.source import Sought, Source
from webhooklab.refusals import Refuse, no_refusal
from webhooklab.store import Store


class Pulling:
    """Starts pollers and fetchers, in place of those of the same name, and stops all of them.

    `refuse` says for which deliveries nothing is fetched, and why.
    """

    def __init__(
        self,
        store: Store,
        *,
        refuse: Refuse = no_refusal,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self.observations = Observations(store)
        self.pollers: dict[str, Poller] = {}
        self.fetchers: dict[str, Fetcher] = {}
        self._store = store
        self._refuse = refuse
        self._limits = limits
        self._background = BackgroundLoop("webhooklab-pulling")
        self._lock = threading.Lock()

    def poll(self, url: str, **options: Any) -> Poller:
        """`lab.poll`: the arguments are those of `Source`. Raises as `Poller` and `start` do."""
        with self._lock:
            self._background.start()
            poller = Poller(
                Source(url=url, **options), self.observations, self._background, self._limits
            )
            earlier = self.pollers.pop(poller.name, None)
            if earlier is not None:
                earlier.stop()
            self.pollers[poller.name] = poller.start()
            return poller

    def fetch_related(self, url_template: str, **options: Any) -> Fetcher:
        """`lab.fetch_related`: the arguments are those of `Sought`. Raises as `Fetcher` does."""
        with self._lock:
            self._background.start()
            fetcher = Fetcher(
                Sought(url_template=url_template, **options),
                self._store,
                self._background,
                refuse=self._refuse,
                limits=self._limits,
            )
            earlier = self.fetchers.pop(fetcher.name, None)
            if earlier is not None:
                earlier.stop()
            self.fetchers[fetcher.name] = fetcher.start()
            return fetcher

    def outlook(self, seq: int) -> str:
        """What is to be expected of a delivery for which there is no fetch: in words."""
        fetchers, delivery = list(self.fetchers.values()), self._store.delivery(seq)
        if not fetchers or delivery is None:
            return "Nothing is fetched here: lab.fetch_related does that, after each delivery."
        reasons = [each.outlook(delivery) for each in fetchers]
        if None in reasons:
            return "It is not fetched yet: the GET is under way, or waits for its turn."
        return " ".join(dict.fromkeys(filter(None, reasons)))

    def stop(self) -> None:
        """Stop all, at once. Repeatable."""
        with self._lock:
            for poller in self.pollers.values():
                poller.stop()
            for fetcher in self.fetchers.values():
                fetcher.stop()
            self._background.stop()
