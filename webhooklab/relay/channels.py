"""Channels of a relay of ours: made, and given up."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import httpx

from webhooklab import clock
from webhooklab.codings import IDENTITY
from webhooklab.defaults import LINK_CONNECT_SECONDS
from webhooklab.errors import ExposureError, RelayProtocolError
from webhooklab.exposure import checked_address
from webhooklab.relay.credentials import Credentials, Shelf
from webhooklab.relay.decoding import decode_channel
from webhooklab.relay.limits import MAX_HEADERS_BYTES
from webhooklab.relay.link import why
from webhooklab.relay.protocol import Channel


def channel_of(file: Path, address: str) -> Credentials:
    """The channel that a capture file has at a relay: the one it had, else a new one.

    Raises `ExposureError` when the relay gives none.
    """
    base_url = checked_address(address).rstrip("/")
    shelf = Shelf(file, base_url)
    kept = shelf.get()
    if kept is None:
        kept = Credentials(base_url, _made(base_url), clock.now_us())
        shelf.put(kept)
    return kept


def _made(base_url: str) -> Channel:
    try:
        with _client() as client, client.stream("POST", f"{base_url}/new") as response:
            content = _start_of(response)
    except httpx.HTTPError as error:
        raise ExposureError(
            f"The relay at {base_url} cannot be asked for a channel: {why(error)}. See that "
            "`webhooklab relay` runs there, and that this machine may call it."
        ) from error
    if response.status_code != HTTPStatus.CREATED:
        raise ExposureError(
            f"The relay at {base_url} gives no channel: it answers {response.status_code}. See "
            "that this is the address of a `webhooklab relay`, and ask who runs it."
        )
    try:
        return decode_channel(content)
    except RelayProtocolError as error:
        raise ExposureError(f"What answers at {base_url} is no `webhooklab relay`.") from error


def give_up(credentials: Credentials) -> bool:
    """Have the relay forget a channel, with all that it has; False when it could not be told."""
    place = f"{credentials.base_url}/listen/{credentials.channel.channel}"
    try:
        with _client() as client:
            with client.stream("DELETE", place, headers=bearer(credentials)) as response:
                answered = response.status_code  # what else it says is not read
    except httpx.HTTPError:
        return False
    return answered in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)


def bearer(credentials: Credentials) -> dict[str, str]:
    """The header by which the relay knows that the channel is ours."""
    return {"Authorization": f"Bearer {credentials.channel.key}"}


def _client() -> httpx.Client:
    # A redirect would take the key elsewhere.
    as_it_is = {"Accept-Encoding": IDENTITY}
    return httpx.Client(timeout=LINK_CONNECT_SECONDS, follow_redirects=False, headers=as_it_is)


def _start_of(response: httpx.Response) -> bytes:
    held = b""
    for chunk in response.iter_raw():
        held += chunk
        if len(held) > MAX_HEADERS_BYTES:
            break
    return held
