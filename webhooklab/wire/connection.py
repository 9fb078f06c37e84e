"""One client's connection: its requests, one after the other, under its deadline."""

from __future__ import annotations

import socket
from collections.abc import Callable

from webhooklab.ingress import Ingress
from webhooklab.wire.deadline import Deadline
from webhooklab.wire.entrance import Client
from webhooklab.wire.express import Express
from webhooklab.wire.rawstream import RawStream
from webhooklab.wire.thorough import Thorough


class Connection:
    """One client's connection: served the short way, from the first uncommon request on the long.

    `base_path` ("" or "/<segment>") is what every request must begin with; all else gets 404.
    `on_end` is called when the connection has ended.
    """

    def __init__(
        self,
        accepted: socket.socket,
        remote: str,
        ingress: Ingress,
        *,
        base_path: str,
        on_end: Callable[[Connection], None],
    ) -> None:
        self._socket = accepted
        self._client = Client(remote, ingress, base_path, Deadline())
        self._on_end = on_end
        self._ending = False
        self._way: Express | Thorough = Express(
            accepted, self._client, leave=self._change, on_end=self._ended
        )

    @property
    def receiving_since(self) -> int | None:
        """When the request came whose body is still coming, in us; None: there is none."""
        return self._way.receiving_since

    @property
    def idle_until(self) -> float | None:
        """Until when it may stay silent (monotonic); None if a request has begun."""
        return self._way.idle_until

    def serve(self) -> None:
        """Start reading requests, on the running loop."""
        self._way.serve()

    def close(self) -> None:
        """Close the socket now, whatever it is doing."""
        self._way.close()

    def end(self) -> None:
        """Close the socket, after the answer to what is being committed."""
        self._ending = True
        self._way.end()

    def check(self, now: float) -> None:
        """Close the connection if what it is doing takes too long (`now` is monotonic)."""
        self._way.check(now)

    def _change(self, received: bytes, unsent: bytes) -> None:
        stream = RawStream(self._socket, received=received)
        self._way = Thorough(stream, self._client, on_end=self._ended)
        self._way.serve(unsent)
        if self._ending:
            self._way.end()

    def _ended(self) -> None:
        self._on_end(self)
