"""One HTTP/1.1 connection: its requests in, their answers out. The door to Tornado's HTTP.

Below `tornado.web`: a connection's requests go to a delegate, whose body is streamed under a
limit. Tornado's parser decides what is HTTP (it refuses what could smuggle a second request), but
it merges and renames headers, so the raw block is kept beside it.
"""

from __future__ import annotations

import asyncio
import hmac
import http
import re
from collections.abc import Awaitable, Callable

from tornado.http1connection import (
    HTTP1Connection,
    HTTP1ConnectionParameters,
    HTTP1ServerConnection,
)
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from webhooklab import clock
from webhooklab.defaults import (
    BODY_TIMEOUT_SECONDS,
    HEADER_TIMEOUT_SECONDS,
    IDLE_TIMEOUT_SECONDS,
    MAX_HEADER_BYTES,
    REFUSED_DRAIN_SECONDS,
)
from webhooklab.headers import Headers, parse_header_block
from webhooklab.ingress import OK, Answer, Ingress
from webhooklab.records import Request

_UNLIMITED = 2**62
"""Tornado would answer 400 to a body over its limit; ours are 413, and the delegate's."""

_FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class HeaderKeepingStream(IOStream):
    """A socket's stream that keeps each request's header block as it was sent.

    The only place that relies on how Tornado reads: `HTTP1Connection` asks for the header block
    with `read_until_regex`, and for nothing else. A test fails when that changes.
    """

    header_block = b""
    header_overflow = False
    received_since_request = 0

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """As `IOStream.read_until_regex`, which see; the result is kept."""
        future = super().read_until_regex(regex, max_bytes)
        assert isinstance(future, asyncio.Future)
        if future.done():  # the common case: all came in one packet
            self._keep(future)
        else:
            future.add_done_callback(self._keep)
        return future

    def _keep(self, future: asyncio.Future[bytes]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is None and not future.cancelled():
            self.header_block = future.result()
        elif isinstance(error, StreamClosedError):
            self.header_overflow = isinstance(error.real_error, UnsatisfiableReadError)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """As `IOStream.read_from_fd`, which see; what came is counted."""
        count = super().read_from_fd(buf)
        if count:
            self.received_since_request += count
        return count


class Connection(HTTPServerConnectionDelegate):
    """One client's connection: its requests, one after the other, and its deadline.

    `base_path` is the segment that requests must begin with ("" for any); all else gets 404.
    `on_end` is called when the connection has ended.
    """

    def __init__(
        self,
        stream: HeaderKeepingStream,
        remote: str,
        ingress: Ingress,
        base_path: str,
        on_end: Callable[[Connection], None],
    ) -> None:
        self.stream = stream
        self.remote = remote
        self.ingress = ingress
        self.base_path = base_path
        self._on_end = on_end
        self._receiver: Receiver | None = None
        self._await_request()

    def serve(self) -> None:
        """Start reading requests, on the running loop."""
        parameters = HTTP1ConnectionParameters(
            max_header_size=MAX_HEADER_BYTES, max_body_size=_UNLIMITED
        )
        HTTP1ServerConnection(self.stream, parameters, self.remote).start_serving(self)

    def close(self) -> None:
        """Close the socket now, whatever it is doing."""
        self.stream.close()

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Tornado's: a new request is about to be read."""
        assert isinstance(request_conn, HTTP1Connection)
        self._await_request()
        self._receiver = Receiver(self, request_conn)
        return self._receiver

    def on_close(self, server_conn: object) -> None:
        """Tornado's: the connection has ended."""
        if reason := self._why_broken():
            self.ingress.note_refusal(self.remote, None, reason)
        self._receiver = None
        self._on_end(self)

    def _why_broken(self) -> str | None:
        """What was wrong with the last request; None if it was complete, refused, or none."""
        receiver = self._receiver
        if receiver is None or receiver.settled:
            return None
        if self.stream.header_overflow:
            return f"headers of more than {MAX_HEADER_BYTES} bytes"
        if receiver.begun:
            return "the body broke off, or its framing was broken"
        if self.stream.header_block:
            return "not well-formed HTTP/1.1"
        return "the headers broke off" if self.stream.received_since_request else None

    def _await_request(self) -> None:
        self.stream.header_block = b""
        self.stream.received_since_request = 0
        self.allow("waiting for a request", IDLE_TIMEOUT_SECONDS)

    def allow(self, doing: str, seconds: float) -> None:
        """Say what the connection does now, and for how long it may."""
        self.doing = doing
        self.deadline = clock.monotonic() + seconds

    def check(self, now: float) -> None:
        """Close the connection if what it is doing takes too long (`now` is monotonic)."""
        if self.doing == "waiting for a request" and self.stream.received_since_request:
            self.allow("reading the headers", HEADER_TIMEOUT_SECONDS)
        if now <= self.deadline:
            return
        if self.doing in ("reading the headers", "reading the body"):
            self._receiver = None
            self.ingress.note_refusal(self.remote, None, f"timeout while {self.doing}")
        self.close()


class Receiver(HTTPMessageDelegate):
    """Receives one request and answers it."""

    def __init__(self, connection: Connection, http1: HTTP1Connection) -> None:
        self.begun = False
        self.settled = False
        self._connection = connection
        self._ingress = connection.ingress
        self._http1 = http1
        self._chunks: list[bytes] = []
        self._body_bytes = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Tornado's: the header block is there, and well-formed."""
        self.begun = True
        self._received_at = clock.now_us()
        block = self._connection.stream.header_block
        self._method, self._target, self._pairs = parse_header_block(block)
        self._expects_continue = "Expect" in headers
        self._connection.allow("reading the body", BODY_TIMEOUT_SECONDS)
        if not _is_below(self._connection.base_path, self._target):
            self._refuse(Answer(404))
        elif answer := self._ingress.refuse_head(self._pairs, _content_length(headers)):
            self._refuse(answer)

    def data_received(self, chunk: bytes) -> None:
        """Tornado's: a part of the body."""
        if self.settled:
            return
        if answer := self._ingress.refuse_body(self._body_bytes, len(chunk)):
            self._refuse(answer)
            return
        self._ingress.hold(len(chunk))
        self._chunks.append(chunk)
        self._body_bytes += len(chunk)

    def finish(self) -> None:
        """Tornado's: the request is complete."""
        if self.settled:
            self._end_refused()
            return
        self.settled = True
        # Whatever is slow from now on is ours: the sender is not to be punished for it.
        self._connection.allow("committing", float("inf"))
        request = Request(
            received_at=self._received_at,
            method=self._method,
            target=self._target.removeprefix(self._connection.base_path),
            headers=Headers(self._pairs),
            body=b"".join(self._chunks),
            remote=self._connection.remote,
        )
        self._ingress.receive(request, self._reply)

    def on_connection_close(self) -> None:
        """Tornado's: the sender went away, or sent what is not HTTP, before it was complete."""
        self._let_go()

    def _reply(self, answer: Answer) -> None:
        self._let_go()
        if self._http1.stream is not None and not self._http1.stream.closed():
            self._send(answer)
            self._http1.finish()

    def _refuse(self, answer: Answer) -> None:
        self.settled = True
        self._let_go()
        self._send(answer)
        if self._expects_continue:
            self._end_refused()  # the sender waits for our word, and sends no body
        else:
            # To close at once would reset the connection, and the sender might not see why.
            self._connection.allow("reading a refused body", REFUSED_DRAIN_SECONDS)
        if answer.status != 404:
            reason = answer.body.decode()
            self._ingress.note_refusal(self._connection.remote, answer.status, reason)

    def _end_refused(self) -> None:
        self._http1.finish()
        self._connection.close()

    def _let_go(self) -> None:
        self._ingress.hold(-self._body_bytes)
        self._body_bytes = 0
        self._chunks = []

    def _send(self, answer: Answer) -> None:
        if answer is OK:
            self._http1.write(_FINE)
            return
        headers = HTTPHeaders({"Content-Length": str(len(answer.body))})
        if answer.body:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        for name, value in answer.headers:
            headers[name] = value
        body = b"" if self._method == "HEAD" else answer.body
        reason = http.HTTPStatus(answer.status).phrase
        start_line = ResponseStartLine("HTTP/1.1", answer.status, reason)
        self._http1.write_headers(start_line, headers, body)


def _is_below(base_path: str, target: str) -> bool:
    return not base_path or hmac.compare_digest(
        target[: len(base_path) + 1].encode("latin-1"), f"{base_path}/".encode()
    )


def _content_length(headers: HTTPHeaders) -> int:
    """What the sender announces; 0 for nothing, or for what Tornado is about to refuse."""
    announced = headers.get("Content-Length", "0").partition(",")[0]
    return int(announced) if re.fullmatch(r"[0-9]{1,30}", announced) else 0
