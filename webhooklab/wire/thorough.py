"""Requests of any shape, read or refused by Tornado, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.iostream import UnsatisfiableReadError

from webhooklab.defaults import MAX_HEADER_BYTES
from webhooklab.headers import MISFRAMED
from webhooklab.wire.entrance import Client
from webhooklab.wire.http1 import Http1, serve
from webhooklab.wire.rawstream import RawStream
from webhooklab.wire.receiver import Receiver


class Thorough(HTTPServerConnectionDelegate):
    """A connection whose requests may be of any kind. `on_end` is called when it has ended."""

    def __init__(self, stream: RawStream, client: Client, *, on_end: Callable[[], None]) -> None:
        self._stream = stream
        self._client = client
        self._deadline = client.deadline
        self._on_end = on_end
        self._ending = False
        self._receiver: Receiver | None = None

    @property
    def receiving_since(self) -> int | None:
        """When the request came whose body is still coming, in us; None: there is none."""
        receiver = self._receiver
        if receiver is None or receiver.settled or not receiver.begun:
            return None
        return receiver.received_at

    @property
    def idle_until(self) -> float | None:
        """Until when it may stay silent (monotonic); None if a request has begun."""
        return None if self._stream.received_since_request else self._deadline.idle_until

    def serve(self, unsent: bytes = b"") -> None:
        """Start reading requests, on the running loop; what is yet to be sent goes first."""
        if unsent:
            self._stream.write(unsent)
        self._serving = asyncio.ensure_future(serve(self._stream, self))

    def close(self) -> None:
        """Close the socket now, whatever it is doing."""
        self._stream.close()

    def end(self) -> None:
        """Close the socket, after the answer to what is being committed."""
        self._ending = True
        if not self._deadline.answering:
            if self._receiver is not None:
                # What has been received of a request may suffice to capture it, but its sender
                # could not be told.
                self._receiver.settled = True
            self.close()

    def check(self, now: float) -> None:
        """Close the connection if what it is doing takes too long (`now` is monotonic)."""
        if self._stream.received_since_request:
            self._deadline.reading_headers()
        if self._deadline.passed(now):
            if self._deadline.reading:
                self._receiver = None  # this is all that the log need say
                self._note(None, f"timeout while {self._deadline.doing}")
            self.close()

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Tornado's: a new request is about to be read."""
        assert isinstance(request_conn, Http1)
        self._stream.expect_request()
        self._deadline.waiting()
        self._receiver = Receiver(self._client, self._stream, request_conn)
        if self._ending:
            self._receiver.settled = True  # it is not broken off: we do not read it
            self.close()
        return self._receiver

    def on_close(self, server_conn: object) -> None:
        """Tornado's: the connection has ended."""
        if reason := self._why_broken():
            self._note(400 if self._stream.found_malformed else None, reason)
        self._receiver = None
        self._on_end()

    def _why_broken(self) -> str | None:
        """What was wrong with the last request; None if it was complete, refused, or none."""
        receiver, stream = self._receiver, self._stream
        if receiver is None or receiver.settled:
            return None
        if receiver.begun:
            malformed = stream.found_malformed
            return MISFRAMED if malformed else "the body broke off"
        if isinstance(stream.error, UnsatisfiableReadError):
            return f"headers of more than {MAX_HEADER_BYTES} bytes"
        if receiver.headers_came:
            return "not well-formed HTTP/1.1"
        return "the headers broke off" if stream.received_since_request else None

    def _note(self, status: int | None, reason: str) -> None:
        self._client.ingress.note_refusal(self._client.remote, status, reason)
