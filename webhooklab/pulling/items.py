"""From an answer's JSON to entities: where they are, which ids and versions they have. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webhooklab.bodies import parse_json
from webhooklab.mapping import Expression, reader, text_of
from webhooklab.pulled import Shape
from webhooklab.pulling.answers import Answer, Failure
from webhooklab.store.writing import storable

_NEXT_URLS: Final = (
    *("next", "next_url", "links.next", "_links.next.href", "links.next.href"),
    *("paging.next", "paging.next.link", "meta.next", '"@odata.nextLink"'),
)
"""Where providers that send no `Link` header say the next page's URL."""

_MORE: Final = (
    *("has_more", "hasMore", "next", "next_cursor", "nextCursor", "next_page", "nextPage"),
    *("next_page_token", "nextPageToken", "meta.next_cursor", "paging.next", "meta.next_page"),
    *("page_info.has_next_page", "pageInfo.hasNextPage", "response_metadata.next_cursor"),
)
"""Where providers say that there is more, without saying its URL."""

_next_urls: Final = [reader("next_url", path) for path in _NEXT_URLS]
_more: Final = [reader("next_url", path) for path in _MORE]


@dataclass(frozen=True, slots=True)
class Page:
    """What a `next_url` function gets: the page's URL, status, headers, and its JSON."""

    url: str
    status: int
    headers: Any
    data: Any


@dataclass(frozen=True, slots=True)
class Found:
    """The entities of one answer. `shape` is "one" where the answer is one resource."""

    shape: Shape
    items: Sequence[Any]


def read_json(answer: Answer) -> Any:
    """An answer's body as JSON. Raises `Failure` for what is none, a login page say."""
    try:
        return parse_json(answer.body, answer.content_type)
    except ValueError as error:
        kind = (answer.content_type or "no Content-Type").partition(";")[0].strip()[:80]
        page = answer.body.lstrip()[:1] == b"<"
        why = "a web page; a login, if credentials are missing (auth=)" if page else str(error)
        raise Failure(
            f"{len(answer.body):,} bytes of {kind} are not JSON: {why[:200]}", status=answer.status
        ) from error


class ItemReader:
    """Finds the entities of an answer, and their ids and versions.

    `items` None: a top-level array; the only list of objects of a top-level object that has no id
    itself; else the one resource. Expressions that are functions may raise. Raises `MappingError`.
    """

    def __init__(
        self,
        items: Expression | None = None,
        entity_id: Expression = "id",
        version: Expression | None = None,
        next_url: Expression | None = None,
    ) -> None:
        self._items = None if items is None else reader("items", items)
        self._id = reader("entity_id", entity_id)
        self._version = None if version is None else reader("version", version)
        self._next: Callable[[Any], Any] | None = next_url if callable(next_url) else None
        self._next_path = reader("next_url", next_url) if isinstance(next_url, str) else None

    def id_of(self, item: Any) -> str | None:
        """An entity's id as text; None when it has none."""
        return storable(text_of(self._id(item))) or None

    def version_of(self, item: Any) -> str | None:
        """An entity's version as text, as sent; None when it has none, or none was asked for."""
        return None if self._version is None else storable(text_of(self._version(item)))

    def find(self, data: Any, shape: Shape | None = None) -> Found:
        """The entities in an answer. `shape` is what the answers before were. Raises `Failure`."""
        found = self._find(data if self._items is None else self._chosen(data))
        if shape is not None and found.shape != shape:
            was = {"list": "a list", "one": "one resource"}
            raise Failure(f"the answer was {was[shape]}, and now is {was[found.shape]}")
        return found

    def _chosen(self, data: Any) -> Any:
        assert self._items is not None
        chosen = self._items(data)
        if not isinstance(chosen, dict | list):
            raise Failure("items= finds neither a list nor an object in the answer")
        return chosen

    def _find(self, data: Any) -> Found:
        if isinstance(data, list):
            return Found("list", data)
        if not isinstance(data, dict):
            raise Failure("the answer is neither a list nor an object: pass items=")
        lists = [value for value in data.values() if _is_list_of_objects(value)]
        if self._items is None and len(lists) == 1 and self.id_of(data) is None:
            return Found("list", lists[0])
        return Found("one", [data])

    def next_reference(self, answer: Answer, data: Any) -> str | None:
        """The next page's URL, perhaps relative; None when this is the last.

        Raises `Failure` when the answer says that there is more, but not where.
        """
        if self._next is not None:
            return _reference(self._next(Page(answer.url, answer.status, answer.headers, data)))
        if self._next_path is not None:
            return _reference(self._next_path(data))
        return answer.next_link or _told_in_body(data)


def _reference(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Failure(f"next_url= gives {type(value).__name__}: it must give a URL, or None")
    return value


def _told_in_body(data: Any) -> str | None:
    if not isinstance(data, dict):
        return None
    for find in _next_urls:
        value = find(data)
        if isinstance(value, str) and value.startswith(("http://", "https://", "/", "?")):
            return value
    if any(find(data) for find in _more):
        raise Failure("the answer says that there are more pages, but not where: pass next_url=")
    return None


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
