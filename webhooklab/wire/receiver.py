"""One HTTP request: received under limits, handed in, answered."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from webhooklab import clock, envelope
from webhooklab.answering import OK, unavailable
from webhooklab.headers import MISFRAMED, Headers, is_misframed
from webhooklab.ingress import Ingress
from webhooklab.records import Answer, Request, split_target
from webhooklab.wire.deadline import Deadline
from webhooklab.wire.framing import content_length, status_line, understand_expectation
from webhooklab.wire.http1 import Http1
from webhooklab.wire.rawstream import RawStream

_FINE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_WITHOUT_LENGTH: Final = (204, 304)
"""RFC 9110, section 8.6: what has no body has no Content-Length (a 304's would be of the 200)."""


@dataclass(frozen=True, slots=True)
class Client:
    """Whose requests are received, and where they go.

    `base_path` ("" or "/<segment>") is what every request must begin with; all else gets 404.
    """

    stream: RawStream
    remote: str
    ingress: Ingress
    base_path: str
    deadline: Deadline


class Receiver(HTTPMessageDelegate):
    """Receives one request and answers it."""

    def __init__(self, client: Client, http1: Http1) -> None:
        self.begun = False
        self.settled = False
        self.received_at = 0
        self._client = client
        self._ingress = client.ingress
        self._http1 = http1
        self._body = bytearray()
        self._held_bytes = 0
        self._base_path = client.base_path
        self._enveloped: str | None = None
        self._seq: int | None = None

    @property
    def headers_came(self) -> bool:
        """Whether the whole header block has come, well-formed or not."""
        return self._http1.headers_came

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        """Tornado's: the header block is there, and well-formed."""
        assert isinstance(start_line, RequestStartLine)
        self.begun = True
        self.received_at = clock.now_us()
        self._method, self._target, self._pairs = (
            start_line.method,
            start_line.path,
            self._http1.pairs,
        )
        self._is_plain = start_line.version == "HTTP/1.1" and "Connection" not in headers
        self._client.deadline.reading_body()
        if is_misframed(start_line.version, headers):
            self._refuse(Answer(400, body=MISFRAMED.encode()))
        elif answer := self._refusal(headers):
            self._refuse(answer)
        elif "Expect" in headers:
            understand_expectation(start_line, headers)

    def _refusal(self, headers: HTTPHeaders) -> Answer | None:
        gate = self._ingress.gates.of(headers)
        if gate is not None:
            self._base_path = gate.base_path
        if not _is_below(self._base_path, self._target):
            return Answer(404)
        if gate is not None and not gate.open:
            return unavailable("the lab is not listening at present")
        sealed = headers.get(envelope.SEAL_HEADER)
        if sealed is not None:
            self._enveloped = envelope.opened(self._ingress.envelope_key, sealed)
            if envelope.is_stale(self._ingress.envelope_key, sealed):
                return Answer(421, body=b"an envelope for a listener that has ended")
        length = content_length(headers)
        return self._ingress.refuse_head(self._pairs, max(0, length - self._overhead))

    @property
    def _overhead(self) -> int:
        """How many bytes more than the body there may be: an envelope's."""
        return 0 if self._enveloped is None else envelope.MAX_META_BYTES

    def data_received(self, chunk: bytes) -> None:
        """Tornado's: a part of the body."""
        if self.settled:
            self._client.deadline.reading_refused_body()
        elif answer := self._ingress.refuse_body(self._held_bytes - self._overhead, len(chunk)):
            self._refuse(answer)
        else:
            self._ingress.hold(len(chunk))
            self._held_bytes += len(chunk)
            self._body += chunk

    def finish(self) -> None:
        """Tornado's: the request is complete."""
        if self.settled:
            self._client.stream.close()
            return
        self.settled = True
        self._client.deadline.committing()
        request = self._request()
        self._body = bytearray()
        if self._client.stream.closed():
            self._let_go()
            self._ingress.receive(request, None)
        else:
            self._ingress.receive(request, self)

    def _request(self) -> Request:
        if self._enveloped is not None:
            return _unwrapped(bytes(self._body))
        return Request(
            received_at=self.received_at,
            method=self._method,
            target=_without(self._base_path, self._target),
            headers=Headers(self._pairs),
            body=bytes(self._body),
            remote=self._client.remote,
        )

    def on_connection_close(self) -> None:
        """Tornado's: the sender went away, or sent what is not HTTP, before it was complete."""
        self._let_go()

    # As the ingress sees who waits for an answer

    @property
    def gone(self) -> bool:
        """Whether the sender has left, or has closed its side, as one that has lost patience does.

        One that closed its side may yet listen: an answer is sent to it all the same.
        """
        return self._client.stream.closed() or self._client.stream.ended

    def stored(self, seq: int) -> None:
        """The delivery is in the capture file."""
        self._seq = seq

    def release(self) -> None:
        """Let go of what is held of the request: its answer comes later."""
        self._let_go()

    def reply(self, answer: Answer) -> None:
        """Send the answer, and go on to the connection's next request."""
        self._let_go()
        if not self._client.stream.closed():
            self._client.deadline.sending()
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if answer is OK and self._is_plain:
            proof = self._proof
            self._http1.answer_at_once(_FINE if proof is None else _proved(proof))
        else:
            self._send(answer)
            self._http1.finish()

    def _refuse(self, answer: Answer) -> None:
        self.settled = True
        self._let_go()
        self._send(answer, closing=True)
        self._client.stream.refused = True
        self._client.deadline.reading_refused_body()
        if answer.status != 404:  # whoever looks for URLs is not to fill the log
            reason = answer.body.decode()
            self._ingress.note_refusal(self._client.remote, answer.status, reason)

    def _let_go(self) -> None:
        self._ingress.hold(-self._held_bytes)
        self._held_bytes = 0
        self._body = bytearray()

    @property
    def _proof(self) -> str | None:
        """That it is us who answer, for who has handed this over; None for all others."""
        if self._enveloped is None:
            return None
        return envelope.proof(self._ingress.envelope_key, self._enveloped, self._seq)

    def _send(self, answer: Answer, *, closing: bool = False) -> None:
        headers = HTTPHeaders()
        if (proof := self._proof) is not None:
            headers[envelope.PROOF_HEADER] = proof
        if answer.status not in _WITHOUT_LENGTH:
            headers["Content-Length"] = str(len(answer.body))
        if closing:
            headers["Connection"] = "close"
        for name, value in answer.headers:
            headers.add(name, value)
        if answer.body:
            headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        body = b"" if self._method == "HEAD" else answer.body
        self._http1.write_headers(status_line(answer.status), headers, body)


def _proved(proof: str) -> bytes:
    return _FINE[:-2] + f"{envelope.PROOF_HEADER}: {proof}\r\n\r\n".encode()


def _unwrapped(content: bytes) -> Request:
    """What was sent to another receiver, which has our key and handed it on."""
    meta, body = envelope.unpacked(content)
    return Request(
        received_at=meta.received_at,
        method=meta.method,
        target=meta.target,
        headers=Headers(meta.headers),
        body=body,
        source=meta.source,
        remote=meta.remote,
        passage=meta.passage,
    )


def _is_below(base_path: str, target: str) -> bool:
    """Whether the target's first segment is the secret one; compared in constant time."""
    if not base_path:
        return True
    first = split_target(target)[0][1:].partition("/")[0]
    return hmac.compare_digest(f"/{first}".encode("latin-1"), base_path.encode("latin-1"))


def _without(base_path: str, target: str) -> str:
    rest = target.replace(base_path, "", 1) if base_path else target
    return f"/{rest}" if rest[:1] in ("", "?") else rest
