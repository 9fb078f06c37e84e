"""From the life to an answer of the API: validators and pages. No HTTP in here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from webhooklab.clock import from_datetime, to_datetime
from webhooklab.demo.defaults import MAX_PAGE_ITEMS, PAGE_ITEMS
from webhooklab.demo.errors import ShopArgumentError
from webhooklab.demo.life import Collection, Entity

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What a GET gives: JSON content, a strong ETag, when it last changed, the next page's query.

    `updated_us` None: it never changed (an empty collection). `before_us`: the change before.
    """

    content: Any
    etag: str
    updated_us: int | None
    before_us: int | None
    next_query: str | None = None

    @property
    def last_modified(self) -> str | None:
        """The HTTP date, whole seconds."""
        if self.updated_us is None:
            return None
        return format_datetime(to_datetime(self.updated_us).astimezone(UTC), usegmt=True)

    def unmodified_since(self, date: str) -> bool:
        """Whether a copy with this Last-Modified is certainly the present one.

        HTTP dates have whole seconds. When the last two changes fell into one second, the date
        cannot tell them apart, and the answer is no (RFC 9110, 8.8.2.2).
        """
        since_us = _http_date_us(date)
        if since_us is None or self.updated_us is None:
            return False
        second = self.updated_us // SECOND_US
        ambiguous = self.before_us is not None and self.before_us // SECOND_US == second
        return not ambiguous and second <= since_us // SECOND_US


def entity_answer(entity: Entity) -> Answer:
    """Answer with one entity."""
    etag = f'"{entity.state["id"]}-{entity.state["version"]}"'
    return Answer(entity.state, etag, entity.updated_us, entity.before_us)


def page_answer(collection: Collection, query: Mapping[str, str]) -> Answer:
    """Answer with one page: a JSON array, oldest first.

    `per_page`: 1 to 200. `after`: a cursor from the page before. A cursor, not a page number: what
    is created or deleted meanwhile moves no other item to another page. Raises
    `ShopArgumentError`.
    """
    per_page = _number(query, "per_page", PAGE_ITEMS, 1, MAX_PAGE_ITEMS)
    found = collection.after(_number(query, "after", 0, 0, 2**53), per_page + 1)
    page = found[:per_page]
    following = None
    if len(found) > per_page:
        following = urlencode({"per_page": per_page, "after": page[-1].number})
    states = [entity.state for entity in page]
    return Answer(
        states, _etag(states, following), collection.updated_us, collection.before_us, following
    )


def _etag(states: list[dict[str, Any]], following: str | None) -> str:
    versions = [(state["id"], state["version"]) for state in states]
    return f'"{hashlib.sha256(repr((versions, following)).encode()).hexdigest()[:20]}"'


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        raise ShopArgumentError(f"{name}: pass a whole number from {least} to {most}.")
    return int(text)


def _http_date_us(text: str) -> int | None:
    try:
        date: datetime = parsedate_to_datetime(text)
        return from_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None  # RFC 9110, 13.1.3: ignore what is not a date
