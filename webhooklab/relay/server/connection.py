"""One connection to a relay: senders' requests and all others, under its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import SSLIOStream
from tornado.web import Application

from webhooklab.headers import is_misframed
from webhooklab.relay.limits import PAGE_BODY_BYTES
from webhooklab.relay.server.origins import Caller
from webhooklab.relay.server.relay import Relay
from webhooklab.relay.server.sending import Sending
from webhooklab.wire.deadline import Deadline
from webhooklab.wire.http1 import Http1, serve
from webhooklab.wire.rawstream import RawStream


class RawTLSStream(RawStream, SSLIOStream):
    """The same for a relay that speaks TLS itself."""


@dataclass(frozen=True, slots=True)
class Context:
    """Whose requests they are, as Tornado's pages ask for it."""

    caller: Caller

    @property
    def remote_ip(self) -> str:
        """The other end of the socket."""
        return self.caller.address

    @property
    def protocol(self) -> str:
        """How the relay is spoken to: "http" or "https"."""
        return self.caller.scheme


class Connection(HTTPServerConnectionDelegate):
    """One client's connection. `closed` also of a link that its requests have become."""

    def __init__(self, stream: RawStream, caller: Caller, relay: Relay, pages: Application) -> None:
        self.stream = stream
        self.caller = caller
        self.relay = relay
        self.pages = pages
        self.deadline = Deadline()
        self._ending = False

    @property
    def closed(self) -> bool:
        """Whether its socket is."""
        return self.stream.closed()

    @property
    def idle_until(self) -> float | None:
        """Until when it may stay silent (monotonic); None if a request has begun."""
        return None if self.stream.received_since_request else self.deadline.idle_until

    def serve(self) -> None:
        """Start reading requests, on the running loop."""
        self._serving = asyncio.ensure_future(serve(self.stream, self, Context(self.caller)))

    def close(self) -> None:
        """Close the socket now, whatever it is doing."""
        self.stream.close()

    def end(self) -> None:
        """Close the socket, after the answer to what is being committed."""
        self._ending = True
        if not self.deadline.answering:
            self.close()

    def check(self, now: float) -> None:
        """Close the connection if what it is doing takes too long (`now` is monotonic)."""
        if self.stream.received_since_request:
            self.deadline.reading_headers()
        if self.deadline.passed(now):
            self.close()

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Tornado's: a new request is about to be read."""
        assert isinstance(request_conn, Http1)
        if self._ending:
            self.close()
        self.stream.expect_request()
        self.deadline.waiting()
        return _Sorting(self, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Tornado's: no more requests are read. The socket may have become a reader's link."""


class _Sorting(HTTPMessageDelegate):
    """Hands a request to those who understand it, once its target is known."""

    def __init__(self, connection: Connection, server_conn: object, request_conn: Http1) -> None:
        self._connection = connection
        self._server_conn = server_conn
        self._http1 = request_conn
        self._inner: HTTPMessageDelegate = HTTPMessageDelegate()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Tornado's: the header block is there, and well-formed."""
        assert isinstance(start_line, RequestStartLine)
        connection = self._connection
        connection.deadline.reading_body()
        if "/h/" in start_line.path or is_misframed(start_line.version, headers):
            self._inner = Sending(
                connection.relay,
                connection.caller,
                connection.stream,
                connection.deadline,
                self._http1,
            )
        else:
            self._http1.set_max_body_size(PAGE_BODY_BYTES)
            self._inner = connection.pages.start_request(self._server_conn, self._http1)
        self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Tornado's: a part of the body."""
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        """Tornado's: the request is complete."""
        self._connection.deadline.committing()
        self._inner.finish()

    def on_connection_close(self) -> None:
        """Tornado's: the other end went away before it was complete."""
        self._inner.on_connection_close()
