"""The interface that every provider has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from webhooklab.defaults import MAX_EVENTS_PER_DELIVERY
from webhooklab.records import Event, Interpretation, Request


class Provider(ABC):
    """A system that sends webhooks, as far as its requests can be told from others.

    Both methods see hostile input and never raise. They use headers before the body, because
    reading the body costs more.
    """

    name: ClassVar[str]
    """What the column `provider` says."""

    @abstractmethod
    def recognises(self, request: Request) -> bool:
        """Whether this provider sent the request, or someone who writes exactly as it does."""

    @abstractmethod
    def events(self, request: Request) -> Sequence[Event]:
        """The events in a request that it recognised: one, several (a batch) or none.

        Those of a batch have their own part of its `body`. A body that cannot be read is one event
        of which nothing is known, `Event()`.
        """

    def interpret(self, request: Request) -> Interpretation:
        """The request's events as an `Interpretation`."""
        events = self.events(request)
        event = events[0] if len(events) == 1 else None
        is_batch = event is None or event.body is not None
        items = tuple(events[:MAX_EVENTS_PER_DELIVERY]) if is_batch else ()
        return Interpretation(self.name, len(events), event, items)


def text(value: object) -> str | None:
    """A JSON value as a column's text: ids may be numbers, all that is no scalar says nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | float):
        return None
    return str(value) if isinstance(value, int) else None


def mapping(value: object) -> dict[str, object]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}
