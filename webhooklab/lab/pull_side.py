"""The pull side: pollers, fetchers, and what they saw."""

from __future__ import annotations

from typing import Any

import pandas as pd

from webhooklab.defaults import FETCH_CONCURRENCY, POLL_EVERY_SECONDS
from webhooklab.lab.face import Face
from webhooklab.mapping import Expression
from webhooklab.pulling import Fetcher, Poller


class PullSide(Face):
    """`poll` and `fetch_related`, with the frames of what they brought."""

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
        what is no longer in the list is deleted; False for a filter or a window: what leaves it
        is not deleted, and what comes into it may be old. Replaces the earlier poller of the same
        `name` (None: the URL). Raises `PullArgumentError`, and `AttachedError` where another
        process listens.
        """
        self._parts.check_owner("poll")
        return self._parts.pulling.poll(
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
        unverified: bool = False,
    ) -> Fetcher:
        """After each delivery from now on, GET what it is about: thin events.

        `url_template`: `"https://api.example.com/orders/{data.id}"`, with JMESPath over the body in
        braces; each value becomes one path segment, and nothing leaves the template's origin.
        `path`, `event_type`: only for deliveries below, or of, these. `state`: where the payload
        has the entity; `resource`: where the answer has it. `unverified`: also for deliveries
        whose signature is checked (`verify_with`) and not valid. Replaces the earlier one of the
        same `name` (None: the template). Returns what has `.stop()`, `.drain()` and `.stats`.
        Raises as `poll` does.
        """
        self._parts.check_owner("fetch")
        return self._parts.pulling.fetch_related(
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
            unverified=unverified,
        )

    @property
    def polls(self) -> pd.DataFrame:
        """One row per poll, changed anything or not, index `poll`."""
        return self._parts.pulling.observations.polls()

    @property
    def snapshots(self) -> pd.DataFrame:
        """One row per changed state of an entity, as polls saw it, index `snapshot`."""
        return self._parts.pulling.observations.snapshots()

    @property
    def fetches(self) -> pd.DataFrame:
        """One row per event that a GET followed, index `fetch`."""
        return self._parts.pulling.observations.fetches()
