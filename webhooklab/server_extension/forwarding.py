"""From the Jupyter server on to a lab's listener, and back."""

from __future__ import annotations

from dataclasses import dataclass

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from webhooklab import envelope
from webhooklab.defaults import (
    FORWARD_CONNECT_SECONDS,
    FORWARD_TIMEOUT_SECONDS,
    MAX_ANSWER_BYTES,
    MAX_FORWARDS,
)
from webhooklab.envelope import PROOF_HEADER, SEAL_HEADER, Meta
from webhooklab.headers import Pair
from webhooklab.server_extension.doors import Door


@dataclass(frozen=True, slots=True)
class Answered:
    """What a lab answered, all headers included."""

    status: int
    headers: tuple[Pair, ...]
    body: bytes


class Forwarder:
    """Hands requests on, each in its envelope. For one event loop."""

    def __init__(self) -> None:
        self._client: SimpleAsyncHTTPClient | None = None

    async def forward(self, door: Door, meta: Meta, body: bytes) -> Answered | None:
        """The lab's answer; None when it is away: nobody there, too slow, or it is not the lab."""
        assert door.listener is not None
        nonce = envelope.new_nonce()
        request = HTTPRequest(
            door.listener,
            "POST",
            headers={SEAL_HEADER: envelope.seal(door.key, nonce)},
            body=envelope.packed(meta) + body,
            connect_timeout=FORWARD_CONNECT_SECONDS,
            request_timeout=FORWARD_TIMEOUT_SECONDS,
            follow_redirects=False,
            decompress_response=False,
        )
        try:
            response: HTTPResponse = await self._http.fetch(request, raise_error=False)
        except (OSError, ValueError):
            return None
        if not envelope.proves(door.key, nonce, response.headers.get(PROOF_HEADER)):
            return None
        return Answered(response.code, tuple(response.headers.get_all()), response.body)

    @property
    def _http(self) -> SimpleAsyncHTTPClient:
        # Made on the server's loop, which does not run yet when the extension is loaded.
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(
                force_instance=True, max_clients=MAX_FORWARDS, max_body_size=MAX_ANSWER_BYTES
            )
        return self._client
