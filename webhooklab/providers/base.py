"""What a provider is: data, and functions where data does not say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from webhooklab.defaults import MAX_EVENTS_PER_DELIVERY
from webhooklab.providers.fields import Fields
from webhooklab.providers.marks import Mark
from webhooklab.providers.places import Place, compiled
from webhooklab.records import Answer, Event, Interpretation, Request
from webhooklab.signatures import Scheme

Read: TypeAlias = Callable[[Request], Sequence[Event]]
Handshake: TypeAlias = Callable[[Request, str | None], Answer | None]
"""Request and secret to what it is to be answered; None: it is no handshake, or lacks the secret.
Pure; never raises on anything from the wire."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How a provider sends again what was not acknowledged, as far as it is published.

    waits_seconds: the waits before the first retry, the second, ...; None: not published in such
        detail. in_words: what is published. timeout_seconds: how long it waits for an answer.
    number: where a delivery says the how-manieth it is; first: what stands there the first time.
    """

    waits_seconds: tuple[float, ...] | None = None
    in_words: str | None = None
    timeout_seconds: float | None = None
    number: Place = None
    first: int = 0

    def number_of(self, request: Request) -> int | None:
        """0 for a first attempt, 1 for the first retry, ...; None where nothing is said."""
        if self.number is None:
            return None
        said = compiled(self.number)(request.headers, request.data)
        return _small_number(said, self.first)


def _small_number(said: object, first: int) -> int | None:
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 10:
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said - first < 10**9:
        return None
    return said - first


UNPUBLISHED = Retries()

_ANY_SECRET = "any"  # noqa: S105 - that of nobody
"""To see whether a request is a handshake, whatever its answer is."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A system that sends webhooks, as far as its requests can be told from others.

    name: what the column `provider` says. title: its name as people write it. source: where its
    webhooks are documented. marks: any one of them makes a request its own. reads: its events, as
    `Fields` or as a function; a body that cannot be read is one event of which nothing is known.
    schemes: how it signs, the strongest first. unsigned: why there are no schemes; signs_otherwise:
    because it signs in a way that is not checked here. handshake: its answer before it sends
    events. tests_signatures: it signs some handshakes wrongly, to see them
    refused (401). signs_handshakes: False: it never does, so that they are not held to a signature.
    Nothing here raises on anything from the wire.
    """

    name: str
    title: str
    source: str
    marks: tuple[Mark, ...]
    reads: Fields | Read
    schemes: tuple[Scheme, ...] = ()
    unsigned: str | None = None
    signs_otherwise: bool = False
    handshake: Handshake | None = None
    tests_signatures: bool = False
    signs_handshakes: bool = True
    retries: Retries = UNPUBLISHED

    def recognises(self, request: Request) -> bool:
        """Whether this provider sent the request, or someone who writes exactly as it does."""
        return any(mark.matches(request) for mark in self.marks)

    def greets(self, request: Request) -> bool:
        """Whether the request is a handshake."""
        return self.handshake is not None and self.handshake(request, _ANY_SECRET) is not None

    def events(self, request: Request) -> Sequence[Event]:
        """The events in a request that it recognised: one, several (a batch) or none.

        Those of a batch have their own part of its `body`.
        """
        if isinstance(self.reads, Fields):
            return self.reads.events(request)
        return self.reads(request)

    def interpret(self, request: Request) -> Interpretation:
        """The request's events as an `Interpretation`; a handshake carries none."""
        events = self.events(request)
        if self.greets(request):
            return Interpretation(self.name, 0, _type_alone(events))
        event = events[0] if len(events) == 1 else None
        is_batch = event is None or event.body is not None
        items = tuple(events[:MAX_EVENTS_PER_DELIVERY]) if is_batch else ()
        return Interpretation(self.name, len(events), event, items)


def _type_alone(events: Sequence[Event]) -> Event | None:
    """What a handshake is called, if it is called anything."""
    kind = events[0].event_type if len(events) == 1 else None
    return Event(event_type=kind) if kind else None
