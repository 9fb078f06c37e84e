"""The REST API. Handlers translate; what they show comes from `life`.

    GET /                   what there is; needs no key
    GET /orders             a JSON array; Link: <...>; rel="next" (RFC 8288) while there is more
    GET /orders/{id}        one entity; 404 when unknown or deleted

The key comes as `Authorization: Bearer ...` or `X-Api-Key: ...`.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Any

from tornado.web import Application, HTTPError, RequestHandler

from webhooklab.demo.errors import ShopArgumentError
from webhooklab.demo.faults import Dials, Dice
from webhooklab.demo.life import Collection, Life
from webhooklab.demo.pages import Answer, entity_answer, page_answer
from webhooklab.demo.rates import RateWindow

ERROR_TYPES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    429: "rate_limited",
    500: "server_error",
}


@dataclass(frozen=True)
class Desk:
    """What the handlers work with. `url`: the Shop's, ends in `/`."""

    url: str
    api_key: str
    life: Life
    dials: Dials
    dice: Dice
    window: RateWindow

    def collection(self, plural: str) -> Collection | None:
        """Return what lives at `/<plural>`."""
        by_path = {found.kind.plural: found for found in self.life.collections.values()}
        return by_path.get(plural)


def application(desk: Desk) -> Application:
    """Return the API as a Tornado application."""
    wiring = {"desk": desk}
    return Application(
        [
            (r"/", IndexHandler, wiring),
            (r"/([a-z]+)", ListHandler, wiring),
            (r"/([a-z]+)/([^/]+)", EntityHandler, wiring),
        ],
        default_handler_class=UnknownHandler,
        default_handler_args=wiring,
        log_function=lambda _: None,  # a notebook is no place for an access log
    )


class ShopHandler(RequestHandler):
    """JSON in every answer, errors included; key, rate limit and faults before every answer."""

    desk: Desk
    _etag: str | None = None

    def initialize(self, desk: Desk) -> None:
        """Take what `application` passes."""
        self.desk = desk

    def set_default_headers(self) -> None:
        """Say what it is, and not which software."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Server", "webhooklab-shop")
        self.set_header("Cache-Control", "private, no-cache")

    def prepare(self) -> None:
        """Refuse without a key (401), over the limit (429), and by fault (500)."""
        if not self._has_key():
            self.set_header("WWW-Authenticate", "Bearer")
            return self.fail(401, "Send shop.api_key as 'Authorization: Bearer' or 'X-Api-Key'.")
        allowance = self.desk.window.take()
        for name, value in (allowance.headers() if allowance else {}).items():
            self.set_header(name, value)
        if allowance and allowance.remaining < 0:
            return self.fail(429, "Too many requests: wait as long as Retry-After says.")
        if self.desk.dice.api_fails(self.desk.dials.faults):
            return self.fail(500, "Failed on purpose (Faults.api_errors): try again.")
        return None

    def fail(self, status: int, message: str) -> None:
        """Answer with a JSON error."""
        self.set_status(status)
        self.finish(json.dumps({"error": {"type": ERROR_TYPES.get(status), "message": message}}))

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer in JSON also where Tornado itself refuses."""
        if status_code == 405:
            self.set_header("Allow", "GET")
        self.fail(status_code, self._reason)

    def compute_etag(self) -> str | None:
        """Return the answer's own ETag; Tornado holds it against If-None-Match."""
        return self._etag

    def answer(self, answer: Answer) -> None:
        """Answer 200 with the content, or 304 when the client has it."""
        self._etag = answer.etag
        if answer.last_modified:
            self.set_header("Last-Modified", answer.last_modified)
        if answer.next_query:
            url = f"{self.desk.url}{self.request.path.lstrip('/')}?{answer.next_query}"
            self.set_header("Link", f'<{url}>; rel="next"')
        if self._unmodified(answer):
            self.set_header("ETag", answer.etag)
            self.set_status(304)
            self.finish()
        else:
            self.finish(json.dumps(answer.content))

    def _unmodified(self, answer: Answer) -> bool:
        """Look at If-Modified-Since, which counts only without If-None-Match (RFC 9110, 13.2)."""
        headers = self.request.headers
        since = headers.get("If-Modified-Since")
        return (
            since is not None and "If-None-Match" not in headers and answer.unmodified_since(since)
        )

    def _has_key(self) -> bool:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        given = (bearer, self.request.headers.get("X-Api-Key", ""))
        key = self.desk.api_key.encode()
        bearer_fits, header_fits = (hmac.compare_digest(text.encode(), key) for text in given)
        return bearer_fits or header_fits


class IndexHandler(ShopHandler):
    """What there is, for people who open `shop.url`."""

    def prepare(self) -> None:
        """Need no key: nothing is given away."""

    def get(self) -> None:
        """List the collections."""
        kinds = [collection.kind for collection in self.desk.life.collections.values()]
        self.finish(json.dumps({kind.plural: f"{self.desk.url}{kind.plural}" for kind in kinds}))


class ListHandler(ShopHandler):
    """One page of a collection."""

    def get(self, plural: str) -> None:
        """Answer with a page, 400 or 404."""
        collection = self.desk.collection(plural)
        if collection is None:
            return self.fail(404, "There is no such collection; GET / names those there are.")
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            return self.answer(page_answer(collection, query))
        except ShopArgumentError as error:
            return self.fail(400, str(error))


class EntityHandler(ShopHandler):
    """One entity."""

    def get(self, plural: str, entity_id: str) -> None:
        """Answer with the entity or 404."""
        collection = self.desk.collection(plural)
        entity = collection.entities.get(entity_id) if collection else None
        if entity is None:
            return self.fail(404, "There is no such entity: the id is unknown, or it was deleted.")
        return self.answer(entity_answer(entity))


class UnknownHandler(ShopHandler):
    """Any other path."""

    def get(self, *_: str) -> None:
        """Answer 404."""
        raise HTTPError(404)
