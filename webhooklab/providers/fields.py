"""What a provider's deliveries say, told as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from webhooklab.bodies import dump_json
from webhooklab.headers import Headers
from webhooklab.instants import parse_instant
from webhooklab.providers.places import Get, Place, compiled, dig, path_keys
from webhooklab.records import Event, Request


@dataclass(frozen=True, kw_only=True)
class Fields:
    """Where each column of `lab.events` stands, as places (see `places`); None: nowhere.

    `items`: the path of the list of events, where one delivery carries several; "" is the body
    itself. Places are then looked for in each item; None: one delivery is one event.
    """

    event_type: Place = None
    event_id: Place = None
    entity_type: Place = None
    entity_id: Place = None
    occurred_at: Place = None
    version: Place = None
    scope: Place = None
    items: str | None = None

    @cached_property
    def _gets(self) -> list[tuple[str, Get, Callable[[Any], Any]]]:
        """Column, where it is, and how what stands there is read, for those that are anywhere."""
        columns = [each.name for each in fields(self) if each.name != "items"]
        return [
            (name, compiled(getattr(self, name)), instant if name == "occurred_at" else text)
            for name in columns
            if getattr(self, name) is not None
        ]

    def events(self, request: Request) -> Sequence[Event]:
        """The events of a request; where the list is not there, one of which little is said."""
        if self.items is None:
            return [self.event(request.headers, request.data)]
        listed = dig(request.data, path_keys(self.items))
        if not isinstance(listed, list):
            return [self.event(request.headers, request.data)]
        return [self.event(request.headers, item, part=dump_json(item)) for item in listed]

    def event(self, headers: Headers, body: Any, *, part: bytes | None = None) -> Event:
        """One event, from the headers and (its part of) the body."""
        said = {name: read(get(headers, body)) for name, get, read in self._gets}
        return Event(**said, body=part)


def text(value: object) -> str | None:
    """A JSON value as a column's text: ids may be numbers, all that is no scalar says nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | float):
        return None
    return str(value) if isinstance(value, int) else None


def instant(value: object) -> int | None:
    """A time as providers write it; also as GitLab does: `2015-05-17 18:21:36 UTC`."""
    if isinstance(value, str) and value.endswith(" UTC"):
        value = value.removesuffix(" UTC")
    return parse_instant(value) if value is not None else None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}
