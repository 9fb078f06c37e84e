"""What a provider's deliveries say, told as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from webhooklab.bodies import dump_json, parse_json
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
            (name, compiled(getattr(self, name)), _READS.get(name, text))
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


def identity(value: object) -> str | None:
    """An id as text; an empty one is none."""
    return text(value) or None


def snake_case(name: str) -> str:
    """`agent_session` of `AgentSession`."""
    return _humps("_", name).lower()


def instant(value: object) -> int | None:
    """A time as providers write it: as `parse_instant` reads it, as GitLab does, or as mail does.

    `2015-05-17 18:21:36 UTC`, `2021-04-28 21:50:00 +0200`, `Tue, 06 Feb 2024 20:13:15 +0000`.
    """
    found = parse_instant(value)
    if found is None and isinstance(value, str) and len(value) < _LONGEST_TIME:
        found = parse_instant(_otherwise(value))
    return found


def _otherwise(written: str) -> object:
    if not _is_of_mail(written):
        return _space_before_offset("", written.removesuffix(" UTC"))
    try:
        return parsedate_to_datetime(written)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


_LONGEST_TIME = 50
_humps = re.compile(r"(?<=[a-z0-9])(?=[A-Z])").sub
_is_of_mail = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} .+").fullmatch
_space_before_offset = re.compile(r" (?=[+-]\d\d:?\d\d$)").sub
_READS: dict[str, Callable[[object], str | int | None]] = {
    "occurred_at": instant,
    "event_id": identity,
    "entity_id": identity,
}


def unwrapped(form: object, name: str) -> Any:
    """The JSON in the field of a form; None where that is none, the body itself without the field.

    GitHub writes so if its webhook's content type is a form's, Slack its interactions, ...
    """
    written = mapping(form).get(name)
    if not isinstance(written, str):
        return form
    try:
        return parse_json(written.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None


def mapping(value: object) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}
