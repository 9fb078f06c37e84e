"""The ways in which a lab can be exposed, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from webhooklab.errors import ExposureError, WebhookLabError
from webhooklab.exposure import Behind, Exposure, Exposures, checked_address
from webhooklab.gates import TakesGates
from webhooklab.relay.channels import channel_of
from webhooklab.relay.client import RelayExposure
from webhooklab.relay.smee import HOST as SMEE
from webhooklab.relay.smee import SmeeExposure, channel_url, is_channel
from webhooklab.relay.webhookrelay import WebhookRelayExposure, credentials
from webhooklab.secret import JUPYTER, kept_secret, open_tunnel
from webhooklab.store import Store
from webhooklab.tunnel import TunnelExposure

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exposed. `base_url` is an address that the user gives; None: none."""

    file: Path
    behind: Behind
    gates: TakesGates
    exposures: Exposures
    store: Store
    base_url: str | None
    access: Access


@dataclass(frozen=True, slots=True)
class Access:
    """What a relay of others wants to know: see `WebhookRelayExposure`. Its repr has no secret."""

    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    buckets: Sequence[str] = ()
    reply: bool = False


def _by_jupyter(wish: Wish) -> Exposure:
    # Its libraries are there where Jupyter is, and are not needed elsewhere.
    try:
        from webhooklab.server_extension.exposing import JupyterExposure  # noqa: PLC0415
    except ImportError as error:
        raise ExposureError(
            "This Python knows no Jupyter, so no Jupyter server can make a public URL. Have a "
            "tunnel lead to lab.url, and pass its address: lab.expose(base_url=...)."
        ) from error
    return JupyterExposure(
        wish.file,
        wish.behind,
        address=wish.base_url,
        browser_url=lambda: wish.exposures.browser_url,
    )


def _by_tunnel(wish: Wish) -> Exposure:
    if wish.base_url is None:
        raise ExposureError(
            "Which tunnel? Start one to lab.url, and pass its address: "
            'lab.expose(base_url="https://abc.example").'
        )
    return TunnelExposure(wish.file, wish.gates, wish.base_url)


def _by_relay(wish: Wish) -> Exposure:
    # Before an earlier one is closed: it stays where there is none. So, too, below.
    channel = channel_of(wish.file, _address(wish, 'lab.expose("https://relay.example")'))
    wish.exposures.replace(RelayExposure.name)
    return RelayExposure(wish.file, wish.behind, wish.store, channel)


def _by_smee(wish: Wish) -> Exposure:
    address = channel_url(_address(wish, 'lab.expose("https://smee.io/<channel>")'))
    wish.exposures.replace(SmeeExposure.name)
    return SmeeExposure(wish.behind, wish.store, address)


def _by_webhookrelay(wish: Wish) -> Exposure:
    key, secret = credentials(wish.access.key, wish.access.secret)
    wish.exposures.replace(WebhookRelayExposure.name)
    return WebhookRelayExposure(
        wish.behind,
        wish.store,
        key=key,
        secret=secret,
        buckets=wish.access.buckets,
        reply=wish.access.reply,
        address=wish.base_url,
    )


def _address(wish: Wish, example: str) -> str:
    if wish.base_url is None:
        raise ExposureError(f"Which relay? Pass its address: {example}.")
    return wish.base_url


WAYS: Final[dict[str, Callable[[Wish], Exposure]]] = {
    "jupyter": _by_jupyter,
    "tunnel": _by_tunnel,
    "relay": _by_relay,
    "smee": _by_smee,
    "webhookrelay": _by_webhookrelay,
}


def _way_of(address: str) -> str:
    """The way that goes with a relay's address. smee and gosmee elsewhere are known by asking."""
    parts = urlsplit(checked_address(address))
    if parts.hostname == SMEE:
        return "smee"
    return "smee" if parts.path.strip("/") and is_channel(address) else "relay"


def take_up(wish: Wish) -> None:
    """Open again what still leads here, though the kernel that opened it is no more.

    A process that listens goes on behind its public URLs; what cannot be opened is left as it is.
    """
    with suppress(WebhookLabError):
        door = _door(wish)
        if door is not None:
            wish.exposures.add(_by_jupyter(replace(wish, base_url=door or None)))
    with suppress(WebhookLabError):
        address = open_tunnel(wish.file)
        if address is not None:
            wish.exposures.add(_by_tunnel(replace(wish, base_url=address)))


def _door(wish: Wish) -> str | None:
    """The address that the user gave for the Jupyter server, "" if none; None: none leads here."""
    if kept_secret(wish.file, JUPYTER) is None:
        return None
    try:
        from webhooklab.server_extension.exposing import door_to  # noqa: PLC0415 - as above
    except ImportError:
        return None
    door = door_to(wish.file, wish.behind.key)
    return None if door is None else door.address


def expose(via: str, wish: Wish) -> Exposure:
    """Open an exposure, in place of an earlier one of its name. Raises `ExposureError`."""
    if via.startswith(("http://", "https://")):
        via, wish = _way_of(via), replace(wish, base_url=via)
    elif via == AUTO:
        via = "jupyter" if wish.base_url is None else "tunnel"
    way = WAYS.get(via)
    if way is None:
        known = ", ".join(map(repr, (AUTO, *WAYS)))
        raise ExposureError(
            f"There is no way called {via!r}: choose one of {known}, or pass a relay's address."
        )
    exposure = way(wish)
    wish.exposures.add(exposure)
    return exposure
