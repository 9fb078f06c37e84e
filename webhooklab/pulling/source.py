"""What to poll, and what to fetch: the arguments of `lab.poll` and `lab.fetch_related`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from numbers import Real
from typing import Any

from webhooklab import paths
from webhooklab.defaults import FETCH_CONCURRENCY, POLL_EVERY_SECONDS
from webhooklab.errors import PullArgumentError
from webhooklab.mapping import Expression


@dataclass(frozen=True, kw_only=True)
class Source:
    """What to poll, as `lab.poll` takes it.

    `every`: seconds from the start of a poll to the start of the next. `name` None: the URL
    without secrets. `items`, `entity_id`, `version`, `next_url`: JMESPath over the JSON, or
    functions of it (`next_url`'s gets a `Page`). `auth`: what httpx takes. `headers` and `params`
    go with every request. `full`: a list shows all there is; False for a filter or a window ("the
    open ones", "the newest 50"): what is no longer on it is not deleted.
    """

    url: str
    every: float = POLL_EVERY_SECONDS
    name: str | None = None
    items: Expression | None = None
    provider: str | None = None
    entity_type: str | None = None
    entity_id: Expression = "id"
    version: Expression | None = None
    next_url: Expression | None = None
    auth: Any = None
    headers: Mapping[str, str] | None = None
    params: Any = None
    full: bool = True

    def check(self) -> None:
        """Raise `PullArgumentError` for an interval that is none."""
        every: object = self.every
        if not (isinstance(every, Real) and math.isfinite(every) and float(every) > 0):
            raise PullArgumentError(f"every={self.every!r}: pass a number of seconds above 0.")

    def definition(self, shown_url: str) -> str:
        """What two pollers have in common that go on where the other stopped. No secrets."""
        named = (self.items, self.entity_id, self.version, self.next_url)
        shown = ["a function" if callable(each) else each for each in named]
        return json.dumps([shown_url, *shown, self.provider, self.entity_type])


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What to fetch, as `lab.fetch_related` takes it.

    `url_template`: placeholders are JMESPath over the body. `name` None: the template without
    secrets. `path`: only for deliveries to it and below. `event_type`: only for such events, as a
    glob ("order.*"); None: for all. `state`: where in the body the entity is;
    None: what the last placeholder is a field of. `resource`: where in the answer it is; None: the
    answer. `entity_id`, `version`: over that. `entity_type` None: the event's own. `concurrency`:
    GETs at one time. `auth`: what httpx takes; `headers` go with every request. `unverified`: also
    for deliveries whose signature is checked, and not valid.
    """

    url_template: str
    name: str | None = None
    auth: Any = None
    headers: Mapping[str, str] | None = None
    path: str = "/"
    event_type: str | None = None
    state: Expression | None = None
    resource: Expression | None = None
    entity_type: str | None = None
    entity_id: Expression = "id"
    version: Expression | None = None
    concurrency: int = FETCH_CONCURRENCY
    unverified: bool = False

    def check(self) -> None:
        """Raise `PullArgumentError` for a concurrency that is none."""
        if self.concurrency < 1:
            raise PullArgumentError(f"concurrency={self.concurrency!r}: pass 1 or more.")

    def is_about(self, event_type: str | None) -> bool:
        """Whether events of this type are meant."""
        return self.event_type is None or fnmatchcase(event_type or "", self.event_type)

    def covers(self, path: str) -> bool:
        """Whether deliveries to `path` are meant."""
        return paths.covers(paths.normal(self.path), path)
