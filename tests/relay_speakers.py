"""Servers that speak as others' relays do, faults included: what they say is up to the test."""

import asyncio
import base64
import contextlib
import json
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from webhooklab.background import BackgroundLoop

STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class Speaker:
    """A server on a loop of its own, at a port that stays the same when it is started again."""

    def __init__(self):
        self._background = BackgroundLoop("speaker").start()
        self.port = 0
        self.start()

    def start(self):
        self._background.run(self._start())

    def stop(self):
        self._background.run(self._stop())

    def close(self):
        self.stop()
        self._background.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Smee(Speaker):
    """smee's or gosmee's stream of events: `say` says something to all who listen.

    `head`: what a request is answered with, and then the stream stays open; `place`: where.
    """

    def __init__(self, place="/abcdefghijklmnop"):
        self.place = place
        self.head = STREAM
        self.requests = []
        self._writers = []
        super().__init__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/abcdefghijklmnop"

    @property
    def listeners(self):
        return len(self._writers)

    def say(self, event, name=None, event_id=None):
        lines = [f"id: {event_id}"] if event_id is not None else []
        lines += [f"event: {name}"] if name else []
        data = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
        self.say_bytes("\n".join([*lines, f"data: {data}", "", ""]).encode())

    def say_bytes(self, data):
        async def write():
            for writer in self._writers:
                writer.write(data)
                await writer.drain()

        self._background.run(write())

    def hang_up(self):
        def cut():
            for writer in self._writers:
                writer.transport.abort()

        self._background.call(cut)

    async def _start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            if head.split(" ")[1] != self.place:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                writer.write(self.head.encode())
                if "event-stream" in self.head:
                    self._writers.append(writer)
                    await reader.read()
        with contextlib.suppress(ValueError):
            self._writers.remove(writer)
        writer.close()


class WebhookRelay(Speaker):
    """Webhook Relay's socket and API at one port. `said`: what it was told, frame by frame.

    `silent`: it never answers; `missed`: what its API has, page by page; `account_key`: it goes
    instead of key and secret; `buckets`: the ids of those that there are.
    """

    key, secret, account_key = "key-1", "secret-1", "sk-1"
    buckets = ("b-1", "b-2")

    def __init__(self):
        self.said = []
        self.silent = False
        self.missed = []
        self.answers = {}
        self.asked = []
        self._sockets = []
        super().__init__()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def listeners(self):
        return len(self._sockets)

    def say(self, frame):
        async def send():
            for each in self._sockets:
                await each.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

        self._background.run(send())

    def hang_up(self):
        self._background.call(lambda: [each.transport.abort() for each in self._sockets])

    async def _start(self):
        self._server = await serve(
            self._talk,
            "127.0.0.1",
            self.port,
            process_request=self._answer_http,
            max_size=None,
            close_timeout=0.1,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self):
        self._server.close()
        for each in self._sockets:
            each.transport.abort()
        await self._server.wait_closed()

    def _answer_http(self, connection, request):
        parts = urlsplit(request.path)
        if parts.path == "/v1/socket":
            return None
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        known = (f"Basic {pair}", f"Bearer {self.account_key}")
        if request.headers.get("Authorization") not in known:
            return connection.respond(401, "")
        if parts.path == "/v1/buckets":
            rows = [{"id": each, "name": f"name of {each}"} for each in self.buckets]
            return connection.respond(200, json.dumps(rows))
        self.asked.append(parse_qs(parts.query))
        page = self.missed.pop(0) if self.missed else {"logs": []}
        return connection.respond(200, json.dumps(page))

    async def _talk(self, connection):
        with contextlib.suppress(ConnectionClosed):
            await self._converse(connection)
        with contextlib.suppress(ValueError):
            self._sockets.remove(connection)

    async def _converse(self, connection):
        async for text in connection:
            frame = json.loads(text)
            self.said.append(frame)
            if self.silent:
                continue
            if frame["action"] == "auth":
                known = ((self.key, self.secret), ("whr", self.account_key))
                good = (frame["key"], frame["secret"]) in known
                status = "authenticated" if good else "unauthorized"
                await connection.send(json.dumps({"type": "status", "status": status}))
            elif frame["action"] == "subscribe":
                await connection.send(json.dumps({"type": "status", "status": "subscribed"}))
                self._sockets.append(connection)


def webhook(number, body="{}", **fields):
    """A delivery as Webhook Relay's socket has it."""
    meta = {"id": f"wh-{number}", "bucked_id": "b-1", "bucket_name": "b", "input_id": "i-1"}
    return {
        "type": "webhook",
        "meta": meta | {"input_name": "in", "output_name": "out", "output_destination": ""},
        "headers": {"Content-Type": ["application/json"], "X-Two": ["1", "2"]},
        "query": "foo=bar",
        "body": body,
        "method": "PUT",
    } | fields
