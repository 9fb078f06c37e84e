"""Reading a collection page by page, conditionally where that is safe."""

from __future__ import annotations

from typing import Any

import httpx

from webhooklab.pulled import Shape
from webhooklab.pulling.answers import Answer, Failure, Tally
from webhooklab.pulling.getter import Getter, status_text
from webhooklab.pulling.items import ItemReader, read_json
from webhooklab.pulling.memory import Memory, PageMemory, Round
from webhooklab.pulling.origins import joined
from webhooklab.pulling.rates import http_date

_SECOND_US = 1_000_000


class PageReader:
    """Reads the pages of one poll into a `Round`, following `Link: rel=next` (RFC 8288)."""

    def __init__(
        self, getter: Getter, reader: ItemReader, memory: Memory, *, max_pages: int
    ) -> None:
        self._getter = getter
        self._reader = reader
        self._memory = memory
        self._max_pages = max_pages

    async def read(self, seen: Round, tally: Tally) -> None:
        """Read all pages. Raises `Failure`; what was seen until then is in `seen`."""
        visited: set[str] = set()
        contents: set[tuple[bytes, ...]] = set()
        url: httpx.URL | None = self._getter.url
        while url is not None:
            self._check(url, visited)
            answer = await self._getter.get(url, tally, self._validators(url))
            page = self._page(url, answer, seen)
            reference = page.next_reference if page else None
            if page and page.ids:
                content = tuple(seen.seen[entity_id] for entity_id in page.ids)
                if content in contents:
                    raise Failure(f"page loop: page {len(visited):,} repeats an earlier one")
                contents.add(content)
            url = None if reference is None else self._next(answer, reference)

    def _check(self, url: httpx.URL, visited: set[str]) -> None:
        if str(url) in visited:
            raise Failure(f"page loop: page {len(visited):,} leads back to an earlier one")
        if len(visited) >= self._max_pages:
            raise Failure(
                f"more than {self._max_pages:,} pages (MAX_PAGES): ask for larger ones, or for "
                "less, with params="
            )
        visited.add(str(url))

    def _validators(self, url: httpx.URL) -> dict[str, str]:
        page = self._memory.pages.get(str(url))
        return page.validators if page else {}

    def _page(self, url: httpx.URL, answer: Answer, seen: Round) -> PageMemory | None:
        """Read one answer; None when it proves that the resource is not there."""
        seen.pages_read += 1
        if answer.status == 304:
            page = self._unchanged(url, answer, seen)
        elif answer.status in (404, 410) and self._is_resource(seen):
            seen.gone = True
            return None
        elif 200 <= answer.status < 300:
            page = self._changed(answer, seen)
        else:
            raise Failure(status_text(answer.status), status=answer.status)
        if page.validators:
            seen.pages[str(url)] = page
        return page

    def _is_resource(self, seen: Round) -> bool:
        return self._memory.shape != "list" and seen.pages_read == 1

    def _unchanged(self, url: httpx.URL, answer: Answer, seen: Round) -> PageMemory:
        known = self._memory.pages.get(str(url))
        if known is None:
            raise Failure("304 to a request that set no condition", status=304)
        seen.pages_not_modified += 1
        seen.shape = seen.shape or self._memory.shape
        self._memory.see_again(seen, known)
        # RFC 9110, 15.4.5: a 304 need not repeat Link; where it does, there may be more pages now.
        reference = answer.next_link or known.next_reference
        return PageMemory(known.validators, known.ids, reference)

    def _changed(self, answer: Answer, seen: Round) -> PageMemory:
        try:
            return self._read(answer, seen)
        except Failure:
            raise
        except Exception as error:
            # A function of the user's, or JSON that cannot be kept (nested too deep, infinite).
            raise Failure(f"the items could not be read: {error!r}"[:300]) from error

    def _read(self, answer: Answer, seen: Round) -> PageMemory:
        data = read_json(answer)
        shape: Shape | None = seen.shape or self._memory.shape
        found = self._reader.find(data, shape)
        seen.shape = found.shape
        ids = self._memory.see_page(seen, found.items, self._reader)
        reference = self._next_reference(answer, data, found.shape)
        # A page that is not understood in full is asked for in full each time.
        validators = {} if seen.problem else _validators_of(answer)
        return PageMemory(validators, ids, reference)

    def _next_reference(self, answer: Answer, data: Any, shape: Shape) -> str | None:
        return self._reader.next_reference(answer, data) if shape == "list" else None

    def _next(self, answer: Answer, reference: str) -> httpx.URL:
        url = joined(httpx.URL(answer.url), reference)
        if url is None:
            raise Failure(f"the next page's URL is none: {reference[:80]!r}")
        self._getter.check_origin(url, "the next page leads")
        return url


def _validators_of(answer: Answer) -> dict[str, str]:
    """The headers that make the next request conditional; {} where a 304 could be wrong.

    A Last-Modified has whole seconds: within its own second, a later change has the same one
    (RFC 9110, 8.8.2.2).
    """
    etag, modified = answer.headers.get("etag"), answer.headers.get("last-modified")
    if etag:
        return {"If-None-Match": etag}
    changed_at, sent_at = http_date(modified), http_date(answer.headers.get("date"))
    if modified and changed_at and sent_at and sent_at - changed_at > _SECOND_US:
        return {"If-Modified-Since": modified}
    return {}
