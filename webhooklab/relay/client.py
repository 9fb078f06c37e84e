"""A lab exposed by a relay of ours (`webhooklab relay`): nothing that it accepted is lost.

The relay answers a sender when the delivery is on its disk, and keeps it until we have said that
it is on ours. What comes twice, since that was said in vain, is known by its number and not kept
twice.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final

from websockets.exceptions import ConnectionClosed, InvalidStatus

from webhooklab.errors import ExposureError
from webhooklab.exposure import Behind, reach_of
from webhooklab.relay.channels import bearer, give_up
from webhooklab.relay.credentials import Credentials, Shelf
from webhooklab.relay.link import LinkError
from webhooklab.relay.outward import Outward
from webhooklab.relay.protocol import Closing
from webhooklab.relay.session import Session
from webhooklab.relay.socket import socket
from webhooklab.store import Store

VIA: Final = "relay"
_OVER: Final = {
    Closing.TAKEN_OVER: "another lab has taken the channel over",
    Closing.GIVEN_UP: "the relay has given the channel up",
}
"""After these there is nothing to come back to."""


class RelayExposure(Outward):
    """A lab at a channel of a relay, as `channel_of` gives it."""

    via = VIA
    name = VIA
    source = VIA

    def __init__(self, file: Path, behind: Behind, store: Store, credentials: Credentials) -> None:
        base_url = credentials.base_url
        self._credentials = credentials
        self._shelf = Shelf(file, base_url)
        super().__init__(
            behind,
            store,
            host=base_url.partition("://")[2],
            channel=f"{VIA} {self._credentials.channel.channel}",
        )
        self._over: str | None = None
        self._revoked = False
        self._begin()

    @property
    def url(self) -> str:
        return self._credentials.channel.url

    @property
    def state(self) -> str:
        if self._over is not None and not self._closed:
            return self._over
        reach = reach_of(self.url)
        return super().state if self._closed else f"{super().state}; {reach}"

    @property
    def closed(self) -> bool:
        return self._closed or self._over is not None

    @property
    def notices(self) -> tuple[str, ...]:
        said = []
        if self._over is not None and not self._closed:
            said.append(f"Nothing comes by the relay any more: {self._over}. Expose the lab again.")
        if dropped := self._link.dropped:
            said.append(
                f"The relay has dropped {dropped:,} deliveries before this lab got them: "
                "connect more often, or have who runs it keep more."
            )
        if not self.closed and self._link.since is None and self._link.reason is not None:
            said.append(
                "This lab has no connection to its relay: what seems missed may wait there."
            )
        elif self._link.behind:
            said.append(
                f"The relay has {self._link.behind:,} deliveries that are not here yet: what "
                "seems missed may be among them."
            )
        return tuple(said)

    @property
    def _closed_words(self) -> str:
        if self._revoked:
            return "revoked, senders get 404"
        return "closed, the relay keeps what is sent, as long as it has room"

    def revoke(self) -> None:
        """Close, and have the relay forget the channel, with what has not been fetched of it."""
        self.close()
        if not give_up(self._credentials):
            raise ExposureError(
                f"The relay at {self._link.host} could not be told that the URL is given up: it "
                "still takes what is sent there. Try again when the relay can be reached."
            )
        self._revoked = True
        self._shelf.remove()

    def blame(self, status: int | None) -> str:
        if status is None:
            return f"Nothing answers at {self._link.host}: see that the relay runs there."
        return (
            f"The relay answers {status}, and the lab is {self.state}: see that the two can reach "
            "each other, and that what stands before the relay lets /h/ and /listen/ pass."
        )

    # One connection

    async def _attend(self) -> None:
        base = self._credentials.base_url.removeprefix("http")
        place = f"ws{base}/listen/{self._credentials.channel.channel}"
        try:
            async with socket(place, headers=bearer(self._credentials)) as connection:
                await Session(connection, self._desk, self._credentials.made_at).run()
        except InvalidStatus as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                raise LinkError(
                    "it does not know this channel (any more): revoke() it, then expose anew"
                ) from error
            raise
        except ConnectionClosed as error:
            await self._end_if_over(error)
            raise

    async def _end_if_over(self, error: ConnectionClosed) -> None:
        code = None if error.rcvd is None else error.rcvd.code
        if code in _OVER:
            self._over = _OVER[Closing(code)]
            await self._desk.note(self._over)
            await asyncio.Event().wait()  # until closed
