"""Who sent a request, found without asking everyone.

What leads to a provider (a header's name, a media type, ...) is indexed, so that what a request
costs does not grow with the number of providers. The body is read only where a lead points to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from webhooklab.bodies import media_type
from webhooklab.providers.base import Provider
from webhooklab.providers.marks import Mark, first_word, parameter_names
from webhooklab.records import Request

MAX_BODY_LED_BYTES = 2**20
"""A longer body is not read to find out by it alone who sent it."""

_first_key = re.compile(rb'\s{0,64}(\[?)\s{0,64}\{\s{0,64}"([^"\\]{1,64})"').match
_first_word = lru_cache(maxsize=256)(first_word)


class Hit(NamedTuple):
    """A mark that a lead points to; the lowest rank is asked first."""

    rank: int
    mark: Mark
    provider: Provider


Index = dict[str, list[Hit]]


class Registry:
    """The providers, in the order in which they are asked. Never changes."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self.providers = tuple(providers)
        self.named = {provider.name: provider for provider in self.providers}
        self._headers: Index = {}
        self._media: Index = {}
        self._queries: Index = {}
        self._agents: Index = {}
        self._keys: Index = {}
        for rank, provider in enumerate(self.providers):
            for mark in provider.marks:
                self._add(Hit(rank, mark, provider))

    def _add(self, hit: Hit) -> None:
        mark = hit.mark
        for index, lead in (
            (self._headers, mark.header),
            (self._media, mark.media),
            (self._queries, mark.query),
            (self._agents, mark.agent),
        ):
            if lead is not None:
                index.setdefault(lead, []).append(hit)
        for key in mark.keys:
            self._keys.setdefault(key, []).append(hit)

    def recognise(self, request: Request) -> Provider | None:
        """Who sent a request; None where nobody is known by it. Never raises."""
        return (
            _asked(self._by_head(request), request)
            or _asked(self._by_agent(request), request)
            or _asked(self._by_body(request), request)
        )

    def _by_head(self, request: Request) -> Sequence[Hit]:
        """Hits by the headers' names, the media type and the query."""
        hits: list[Hit] = []
        names = request.headers.names
        if not self._headers.keys().isdisjoint(names):
            for name in names:
                if name in self._headers:
                    hits += self._headers[name]
        media = media_type(request.content_type)
        if media in self._media:
            hits += [hit for hit in self._media[media] if hit.mark.needle in request.body]
        if request.query_string:
            for name in parameter_names(request.query_string):
                hits += self._queries.get(name, ())
        return hits

    def _by_agent(self, request: Request) -> Sequence[Hit]:
        return self._agents.get(_first_word(request.headers.get("user-agent")), ())

    def _by_body(self, request: Request) -> Sequence[Hit]:
        """Hits by the body's first key, for providers that send no header of their own."""
        found = _first_key(request.body)
        if found is None or len(request.body) > MAX_BODY_LED_BYTES:
            return ()
        key = (found[1] + found[2]).decode("latin-1")
        return [hit for hit in self._keys.get(key, ()) if hit.mark.needle in request.body]


def _asked(hits: Sequence[Hit], request: Request) -> Provider | None:
    if len(hits) > 1:
        hits = sorted(hits, key=lambda hit: hit.rank)
    for hit in hits:
        if hit.mark.matches(request):
            return hit.provider
    return None
