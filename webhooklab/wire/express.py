"""Requests of the common kind that come whole: from the socket to the ingress, by the short way.

Tornado's way, a stream that waits for each part of a request in turn, costs more than all that is
done with a delivery, its commit included. Most requests need none of that: they are there with the
first read. What is not, or asks for anything uncommon, is left to Tornado, with all that follows on
the connection (`wire.thorough`); tests hold both ways to the same outcome.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable
from typing import NamedTuple

from tornado.ioloop import IOLoop

from webhooklab import clock, envelope
from webhooklab.records import Answer, Request
from webhooklab.wire.answers import whole
from webhooklab.wire.blocks import Head, read_head
from webhooklab.wire.entrance import Client, entry, without
from webhooklab.wire.rawstream import READ_AHEAD_BYTES

logger = logging.getLogger(__name__)

_end_of_block = re.compile(rb"\r?\n\r?\n").search


class _Begun(NamedTuple):
    """A request whose header block is there. `received_at` in us; its body is `[begins:ends]`."""

    head: Head
    target: str
    received_at: int
    begins: int
    ends: int


class Express:
    """A connection whose requests have all been of the common kind until now.

    `leave(received, unsent)` is called once another kind begins, with what has been received and
    not been handed in, and what is yet to be sent. The socket is then the caller's. Otherwise it is
    closed in the end, and `on_end` called.
    """

    def __init__(
        self,
        accepted: socket.socket,
        client: Client,
        *,
        leave: Callable[[bytes, bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        self._socket = accepted
        self._client = client
        self._deadline = client.deadline
        self._leave = leave
        self._on_end = on_end
        self._received = b""
        self._begun: _Begun | None = None
        self._held_bytes = 0
        self._listening = False
        self._closed = self._ended = self._ending = False

    @property
    def receiving_since(self) -> int | None:
        """When the request came whose body is still coming, in us; None: there is none."""
        return None if self._begun is None else self._begun.received_at

    @property
    def idle_until(self) -> float | None:
        """Until when it may stay silent (monotonic); None if a request has begun."""
        return None if self._received else self._deadline.idle_until

    def serve(self) -> None:
        """Start reading requests, on the running loop."""
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listen()

    def close(self) -> None:
        """Close the socket now, whatever it is doing."""
        if not self._closed:
            self._stop()
            self._socket.close()
            self._on_end()

    def end(self) -> None:
        """Close the socket, after the answer to what is being committed."""
        self._ending = True
        if not self._deadline.answering:
            self.close()

    def check(self, now: float) -> None:
        """Close the connection if it is silent for too long (`now` is monotonic).

        A request that comes slowly is of another kind.
        """
        if self._received and not self._deadline.answering:
            self._change()
        elif self._deadline.passed(now):
            self.close()

    # The socket

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            IOLoop.current().add_handler(self._socket.fileno(), self._on_readable, IOLoop.READ)

    def _listen_no_more(self) -> None:
        if self._listening:
            self._listening = False
            IOLoop.current().remove_handler(self._socket.fileno())

    def _stop(self) -> None:
        self._listen_no_more()
        self._closed = True

    def _change(self, unsent: bytes = b"") -> None:
        """Leave the connection to who reads all kinds of requests."""
        self._stop()
        self._leave(self._received, unsent)

    def _on_readable(self, _fd: int, _events: int) -> None:
        try:
            self._read()
        except Exception:
            logger.exception("a connection is closed, because a request could not be served")
            self.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_AHEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # it was reset
            data = b""
        self._received += data
        self._ended = not data
        if self._ended or self._is_full:
            self._listen_no_more()
        if not self._deadline.answering:
            self._look()

    @property
    def _is_full(self) -> bool:
        return len(self._received) >= READ_AHEAD_BYTES

    def _send(self, data: bytes) -> bytes | None:
        """Send what the sender takes now; returns the rest, or None where the sender has left."""
        try:
            return data[self._socket.send(data) :]
        except BlockingIOError:
            return data
        except OSError:
            return None

    # Requests

    def _look(self) -> None:
        """Hand in the next request, if it is there."""
        if self._begun is None and (found := _end_of_block(self._received)):
            self._begun = self._read_head(found.end())
            if self._begun is None:
                self._change()
                return
        if self._begun is not None and self._begun.ends <= len(self._received):
            self._hand_in(self._begun)
        elif self._ended or self._is_full:  # it cannot come whole any more
            if self._received:
                self._change()
            else:
                self.close()

    def _read_head(self, begins: int) -> _Begun | None:
        """The request that has begun, if it may be handed in; Tornado's way says why not."""
        head = read_head(self._received[:begins])
        if head is None or envelope.SEAL_HEADER in head.headers:
            return None
        base_path, refusal = entry(self._client, head.target, head.headers)
        ends = begins + head.length
        if refusal or self._client.ingress.refuse_head(head.headers.pairs, head.length):
            return None
        return _Begun(head, without(base_path, head.target), clock.now_us(), begins, ends)

    def _hand_in(self, begun: _Begun) -> None:
        body = self._received[begun.begins : begun.ends]
        self._received = self._received[begun.ends :]
        self._begun = None
        self._held_bytes = len(body)
        self._client.ingress.hold(self._held_bytes)
        self._deadline.committing()
        request = Request(
            received_at=begun.received_at,
            method=begun.head.method,
            target=begun.target,
            headers=begun.head.headers,
            body=body,
            remote=self._client.remote,
        )
        self._client.ingress.receive(request, self)

    def _go_on(self) -> None:
        self._deadline.waiting()
        if self._ending:
            self.close()
            return
        self._look()
        if not (self._closed or self._ended or self._is_full):
            self._listen()

    # As the ingress sees who waits for an answer

    @property
    def gone(self) -> bool:
        """Whether the sender has left, or has closed its side, as one that has lost patience does.

        One that closed its side may yet listen: an answer is sent to it all the same.
        """
        return self._closed or self._ended

    def stored(self, seq: int) -> None:
        """The delivery is in the capture file. This sender is not told its number."""

    def release(self) -> None:
        """Let go of what is held of the request: its answer comes later."""
        self._client.ingress.hold(-self._held_bytes)
        self._held_bytes = 0

    def reply(self, answer: Answer) -> None:
        """Send the answer, and go on to the connection's next request.

        Raises `ValueError` for an answer that HTTP cannot carry; the connection is then closed.
        """
        self.release()
        if self._closed:
            return
        self._deadline.sending()
        try:
            unsent = self._send(whole(answer))
        except ValueError:
            self.close()
            raise
        if unsent is None:
            self.close()
        elif unsent:
            self._change(unsent)
        else:
            self._go_on()
