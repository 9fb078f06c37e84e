"""One delivery: received under limits, handed to the relay, answered."""

from __future__ import annotations

from typing import Final

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from webhooklab import clock
from webhooklab.given_back import PLAIN, given_back
from webhooklab.headers import BODILESS, MISFRAMED, is_misframed
from webhooklab.records import Answer
from webhooklab.relay.server.file import Head
from webhooklab.relay.server.origins import Caller
from webhooklab.relay.server.relay import Door, Relay
from webhooklab.relay.server.session import ACCEPTED
from webhooklab.wire.deadline import Deadline
from webhooklab.wire.framing import content_length, status_line, understand_expectation
from webhooklab.wire.http1 import Http1
from webhooklab.wire.rawstream import RawStream

_ACCEPTED: Final = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Sending(HTTPMessageDelegate):
    """Receives one request to a channel and answers it."""

    def __init__(
        self,
        relay: Relay,
        caller: Caller,
        stream: RawStream,
        deadline: Deadline,
        http1: Http1,
    ) -> None:
        self._relay = relay
        self._caller = caller
        self._stream = stream
        self._deadline = deadline
        self._http1 = http1
        self._body = bytearray()
        self._held_bytes = 0
        self._refused = False
        self._door: Door | None = None

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Tornado's: the header block is there, and well-formed."""
        assert isinstance(start_line, RequestStartLine)
        self._received_at = clock.now_us()
        self._method, self._pairs = start_line.method, self._http1.pairs
        self._is_plain = start_line.version == "HTTP/1.1" and "Connection" not in headers
        self._origin = self._caller.origin(headers)
        self._remote = self._caller.remote(headers)
        if is_misframed(start_line.version, headers):
            self._refuse(Answer(400, body=MISFRAMED.encode()))
            return
        door = self._relay.door(start_line.path)
        if isinstance(door, Answer):
            self._refuse(door)
            return
        self._door = door
        if answer := self._relay.refuse_head(door, self._pairs, content_length(headers)):
            self._refuse(answer)
        elif "Expect" in headers:
            understand_expectation(start_line, headers)

    def data_received(self, chunk: bytes) -> None:
        """Tornado's: a part of the body."""
        if self._refused:
            self._deadline.reading_refused_body()
        elif answer := self._relay.refuse_body(self._held_bytes, len(chunk)):
            self._refuse(answer)
        else:
            self._relay.hold(len(chunk))
            self._held_bytes += len(chunk)
            self._body += chunk

    def finish(self) -> None:
        """Tornado's: the request is complete."""
        if self._refused:
            self._stream.close()
            return
        assert self._door is not None
        head = Head(self._method, self._origin, self._door.rest, self._pairs, self._remote)
        body, self._body = bytes(self._body), bytearray()
        self._relay.take(self._door, self._received_at, head, body, self)

    def on_connection_close(self) -> None:
        """Tornado's: the sender went away, or sent what is not HTTP, before it was complete."""
        self._let_go()

    def reply(self, answer: Answer) -> None:
        """Send the answer, and go on to the connection's next request."""
        self._let_go()
        if not self._stream.closed():
            self._deadline.sending()
            if answer is ACCEPTED and self._is_plain:
                self._http1.answer_at_once(_ACCEPTED)
            else:
                self._send(answer)
                self._http1.finish()

    def _refuse(self, answer: Answer) -> None:
        self._refused = True
        self._let_go()
        self._send(answer, closing=True)
        self._stream.refused = True
        self._deadline.reading_refused_body()

    def _let_go(self) -> None:
        self._relay.hold(-self._held_bytes)
        self._held_bytes = 0
        self._body = bytearray()

    def _send(self, answer: Answer, *, closing: bool = False) -> None:
        headers = HTTPHeaders(dict(PLAIN))
        allowed = given_back(answer.headers)
        for name, _ in allowed:
            headers.pop(name, None)
        for name, value in allowed:
            headers.add(name, value)
        has_body = answer.status not in BODILESS
        if has_body:
            headers["Content-Length"] = str(len(answer.body))
        if closing:
            headers["Connection"] = "close"
        body = answer.body if has_body and self._method != "HEAD" else b""
        self._http1.write_headers(status_line(answer.status), headers, body)
