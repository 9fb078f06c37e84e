"""Real parts for the Shop's tests: a receiver that records what is POSTed, and an API client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

from webhooklab.demo import Shop

TIMEOUT_SECONDS = 15.0
Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Request:
    """One POST as it came in. `at`: seconds on the monotonic clock."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    def json(self) -> Any:
        return json.loads(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # of 5, those who call together are refused, and try again


class Receiver:
    """A real HTTP server of the standard library, so that no code is shared with the Shop.

    `answer(request, count)` gives status and headers; `count` is 1 for an event's first delivery.
    """

    def __init__(self, answer: Callable[[Request, int], Answer] | None = None) -> None:
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._answer = answer or (lambda *_: (200, {}))
        self._at_once = 0
        self._arrived = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/very-secret-path"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, count: int) -> list[Request]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, TIMEOUT_SECONDS)
            return list(self.requests)

    def of(self, event_id: str) -> list[Request]:
        return [request for request in self.requests if request.event_id == event_id]

    def versions(self, entity_id: str) -> list[int]:
        bodies = [request.json() for request in self.requests]
        return [body["data"]["version"] for body in bodies if body["data"]["id"] == entity_id]

    def _receive(self, request: Request) -> Answer:
        with self._arrived:
            self.requests.append(request)
            count = len(self.of(request.event_id))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._arrived.notify_all()
        try:
            return self._answer(request, count)
        finally:
            with self._arrived:
                self._at_once -= 1

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - see below
        """A handler's `self` is the connection, so the receiver has its own name."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = TIMEOUT_SECONDS

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                names = {name.lower(): value for name, value in self.headers.items()}
                status, headers = receiver._receive(Request(names, body, time.monotonic()))
                self.send_response(status)
                for name, value in {**headers, "content-length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        return Handler


def client(shop: Shop) -> httpx.Client:
    """A client that has the key."""
    headers = {"Authorization": f"Bearer {shop.api_key}"}
    return httpx.Client(base_url=shop.url, headers=headers, trust_env=False)


def all_pages(api: httpx.Client, path: str) -> list[list[dict[str, Any]]]:
    """Every page, following Link as any client would."""
    pages = []
    url: str | None = path
    while url:
        answer = api.get(url).raise_for_status()
        pages.append(answer.json())
        url = answer.links.get("next", {}).get("url")
    return pages
