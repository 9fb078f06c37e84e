"""One HTTP request: received under limits, handed in, answered."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from webhooklab import clock, envelope
from webhooklab.answering import OK
from webhooklab.headers import MISFRAMED, Headers, is_misframed
from webhooklab.records import Answer, Request
from webhooklab.wire.answers import FINE, fields
from webhooklab.wire.entrance import Client, entry, without
from webhooklab.wire.framing import content_length, status_line, understand_expectation
from webhooklab.wire.http1 import Http1
from webhooklab.wire.rawstream import RawStream


class Receiver(HTTPMessageDelegate):
    """Receives one request and answers it."""

    def __init__(self, client: Client, stream: RawStream, http1: Http1) -> None:
        self.begun = False
        self.settled = False
        self.received_at = 0
        self._client = client
        self._stream = stream
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
        self._base_path, refusal = entry(self._client, self._target, headers)
        if refusal is not None:
            return refusal
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
            self._stream.close()
            return
        self.settled = True
        self._client.deadline.committing()
        request = self._request()
        self._body = bytearray()
        if self._stream.closed():
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
            target=without(self._base_path, self._target),
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
        return self._stream.closed() or self._stream.ended

    def stored(self, seq: int) -> None:
        """The delivery is in the capture file."""
        self._seq = seq

    def release(self) -> None:
        """Let go of what is held of the request: its answer comes later."""
        self._let_go()

    def reply(self, answer: Answer) -> None:
        """Send the answer, and go on to the connection's next request."""
        self._let_go()
        if not self._stream.closed():
            self._client.deadline.sending()
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if answer is OK and self._is_plain:
            proof = self._proof
            self._http1.answer_at_once(FINE if proof is None else _proved(proof))
        else:
            self._send(answer)
            self._http1.finish()

    def _refuse(self, answer: Answer) -> None:
        self.settled = True
        self._let_go()
        self._send(answer, closing=True)
        self._stream.refused = True
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
        if closing:
            headers["Connection"] = "close"
        for name, value in fields(answer):
            headers.add(name, value)
        body = b"" if self._method == "HEAD" else answer.body
        self._http1.write_headers(status_line(answer.status), headers, body)


def _proved(proof: str) -> bytes:
    return FINE[:-2] + f"{envelope.PROOF_HEADER}: {proof}\r\n\r\n".encode()


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
