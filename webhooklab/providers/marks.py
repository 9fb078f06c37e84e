"""By what a provider is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from webhooklab.bodies import media_type
from webhooklab.errors import ProviderError
from webhooklab.providers.places import dig, path_keys
from webhooklab.records import Request

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One way to know a provider's requests: all that is named must be there.

    One of these leads to the mark, so that it is looked at for the few requests that have it:
    header, media type, name of a query parameter, first word of the User-Agent (lower case), or
    the first key of a JSON body (several are tried; `[` before it: of the first item of a list).

    also: further headers. has: dotted paths that the body has (a list's first item, for a list);
        the first of them the most telling, for the bytes of its key are looked for in the body
        before that is read.
    says: dotted paths, each with the texts of which one stands there.
    """

    header: str | None = None
    media: str | None = None
    query: str | None = None
    agent: str | None = None
    keys: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    says: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        leads = (self.header, self.media, self.query, self.agent, self.keys)
        if sum(bool(lead) for lead in leads) != 1:
            raise ProviderError(
                "a mark has one lead: header=, media=, query=, agent= or keys=; "
                "what else must be there goes into also=, has= and says="
            )

    @cached_property
    def needle(self) -> bytes:
        """Bytes that are in each body that has the paths: cheap to look for before reading it."""
        paths = (*self.has, *(path for path, _ in self.says))
        if not paths:
            return b""
        key = path_keys(paths[0])[-1]
        return (f"{key}=" if self.media == FORM else f'"{key}"').encode()

    @cached_property
    def _headers(self) -> frozenset[str]:
        return frozenset(name for name in (self.header, *self.also) if name)

    @cached_property
    def _is_of_headers_alone(self) -> bool:
        return self.header is not None and not self.has and not self.says

    def matches(self, request: Request) -> bool:
        """Whether all of it is there. Never raises."""
        if not request.headers.names >= self._headers:
            return False
        return self._is_of_headers_alone or (
            self._head_matches(request) and self._body_matches(request)
        )

    def _head_matches(self, request: Request) -> bool:
        if self.media is not None:
            return media_type(request.content_type) == self.media
        if self.query is not None:
            return self.query in parameter_names(request.query_string)
        if self.agent is not None:
            return first_word(request.headers.get("user-agent")) == self.agent
        return True

    def _body_matches(self, request: Request) -> bool:
        if not self.has and not self.says:
            return True
        data = request.data
        part = data[0] if isinstance(data, list) and data else data
        if any(dig(part, path_keys(path)) is None for path in self.has):
            return False
        return all(dig(part, path_keys(path)) in texts for path, texts in self.says)


def first_word(agent: str | None) -> str:
    """`github-hookshot` of `GitHub-Hookshot/044aadd`; "" when there is none."""
    words = (agent or "")[:60].replace("/", " ").split(maxsplit=1)
    return words[0].lower() if words else ""


def parameter_names(query_string: str) -> list[str]:
    """The names of the first parameters of a query string, undecoded."""
    return [part.partition("=")[0] for part in query_string.split("&", 20)[:20]]
