"""What is no delivery: how the relay is, new channels, and the end of one."""

from __future__ import annotations

import html
import json
import logging
from types import TracebackType
from typing import Any, Final

from tornado import web

from webhooklab.errors import StoreError
from webhooklab.given_back import PLAIN
from webhooklab.records import Answer
from webhooklab.relay.server.origins import Caller
from webhooklab.relay.server.relay import NOTHING_HERE, Relay

logger = logging.getLogger(__name__)

_PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>webhooklab relay</title>"
    "<h1>webhooklab relay</h1><dl>{}</dl></html>"
)


class Page(web.RequestHandler):
    """One request. What goes wrong is said in plain words, and no target is logged."""

    def initialize(self, relay: Relay) -> None:
        """Tornado's: what the route was registered with."""
        self._relay = relay

    @property
    def _caller(self) -> Caller:
        assert self.request.connection is not None
        caller: Caller = self.request.connection.context.caller  # type: ignore[attr-defined]
        return caller

    def set_default_headers(self) -> None:
        """Tornado's: nothing of this is to be kept, or to act."""
        self.clear_header("Server")
        for name, value in PLAIN:
            self.set_header(name, value)

    def check_xsrf_cookie(self) -> None:
        """Tornado's: there are no cookies here."""

    def _say(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers:
            self.set_header(name, value)
        self.finish(answer.body or None)

    def _json(self, status: int, value: object) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tornado's: plain words instead of a page."""
        self.finish(self._reason)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Tornado's, which would write the URL."""
        if not isinstance(value, web.HTTPError) and typ is not None and value is not None:
            logger.error("%s failed", type(self).__name__, exc_info=(typ, value, tb))


class Nothing(Page):
    """Whatever else is asked for."""

    def prepare(self) -> None:
        """Tornado's: any method."""
        self._say(NOTHING_HERE)


class Health(Page):
    """How the relay is, for people."""

    def get(self) -> None:
        """A small page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        rows = self._relay.health().items()
        shown = "".join(f"<dt>{name}<dd>{html.escape(str(value))}" for name, value in rows)
        self.finish(_PAGE.format(shown))


class Status(Page):
    """How the relay is, for programs."""

    def get(self) -> None:
        """The same as JSON; 503 when nothing can be stored."""
        health = self._relay.health()
        self._json(200 if health["status"] == "ok" else 503, health)


class New(Page):
    """Makes a channel."""

    async def post(self) -> None:
        """The channel as JSON. Not for web pages: a visitor would make channels unknowingly."""
        if "Origin" in self.request.headers:
            self._say(Answer(403, body=b"not for web pages"))
            return
        headers = self.request.headers
        caller = self._caller
        made = await self._relay.make(caller.remote(headers), caller.origin(headers))
        if isinstance(made, Answer):
            self._say(made)
        else:
            self._json(201, {"url": made.url, "channel": made.channel, "key": made.key})


class Ending(Page):
    """Gives a channel up. Not a link, but at the same address."""

    async def delete(self, name: str) -> None:
        """For who may read it."""
        try:
            found = self._relay.reader(name, self.request.headers.get("Authorization"))
        except StoreError:
            self._say(Answer(503))
            return
        self._say(NOTHING_HERE if found is None else await self._relay.give_up(found[0]))
