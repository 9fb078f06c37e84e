"""A public URL of a lab, however it is made: the one interface, and the set that a lab has open."""

from __future__ import annotations

import ipaddress
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from webhooklab.errors import ExposureError, WebhookLabError

NOBODY: Final = "nobody outside this machine can reach it"
NEARBY: Final = "only what is on this network can reach it"
ANYONE: Final = "whoever knows it can send to it"


@dataclass(frozen=True, slots=True)
class Behind:
    """The listener that is to be reached: its URL here, and the key to its envelopes."""

    url: str
    key: str = field(repr=False)
    max_body_bytes: int


class Exposure(ABC):
    """A public URL of a lab. Open from construction to `close`; `with` closes it.

    `via` is the way deliveries take: "jupyter", "tunnel", "relay", ...; `name` is what a later
    exposure replaces it by. Nothing here blocks: `state` and `notices` are asked for again and
    again while the inbox is looked at.
    """

    via: str
    name: str
    answers: bool = True
    """Whether what the lab answers reaches the sender."""
    deep: bool = True
    """Whether what is sent to paths below the URL is captured, too."""
    stays: bool = True
    """Whether it goes on without this process, as long as the listener does."""
    source: str | None = None
    """The `source` of what comes by it, where that tells; None: it does not."""
    _closed: bool = False

    @property
    @abstractmethod
    def url(self) -> str | None:
        """What to give to the provider; ends in "/" where it is `deep`. None: not known (yet).

        After `close` it is still what the provider has; after `revoke` it is the new one.
        """

    @property
    @abstractmethod
    def state(self) -> str:
        """What it does and who can reach it: some words, in the present tense, without a dot."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user has to know, a sentence each: it leads nowhere, the relay is behind ..."""
        return ()

    @property
    def closed(self) -> bool:
        """Whether deliveries are not taken at present."""
        return self._closed

    @abstractmethod
    def close(self) -> None:
        """Take no deliveries: their senders are told to try again later. Repeatable.

        The URL stays the lab's: exposing it again goes on at the same one.
        """

    @abstractmethod
    def revoke(self) -> None:
        """Give the URL up for good, as when it has leaked: what is sent there is 404 from now on.

        The next exposure has a new one.
        """

    def give_way(self, to: Exposure) -> None:
        """End: `to`, of the same name, has taken the place of this."""
        self.close()

    def blame(self, status: int | None) -> str:
        """What to do about a test delivery that did not get through: whose move it is.

        `status` is what the public URL answered; None: there was no answer.
        """
        answered = "nothing answers" if status is None else f"something answers {status}"
        return f"At {self.url} {answered}: see that it leads to this lab."

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Exposure {self.url or 'without a URL yet'} via {self.via}: {self.state}>"


class Exposures:
    """What a lab has open, by name, the newest last. All is closed with the lab."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Exposure] = {}
        self.browser_url: str | None = None
        """Where a browser that shows the inbox has its Jupyter server; None: not known (yet)."""

    def locate(self, browser_url: str) -> None:
        """A browser that shows the inbox has its Jupyter server there; what is no URL is not."""
        with suppress(ExposureError):
            self.browser_url = checked_address(browser_url)

    def replace(self, name: str) -> None:
        """Close the exposure of this name, if there is one: another is about to be made."""
        with self._lock:
            earlier = self._open.pop(name, None)
        if earlier is not None:
            earlier.close()

    def add(self, exposure: Exposure) -> None:
        """Have it closed with the lab. An earlier one of its name gives way to it."""
        with self._lock:
            earlier = self._open.pop(exposure.name, exposure)
            self._open[exposure.name] = exposure
        if earlier is not exposure:
            earlier.give_way(exposure)

    @property
    def current(self) -> Exposure | None:
        """The newest that is open; None if none is."""
        return next((each for each in reversed(self.all) if not each.closed), None)

    @property
    def unanswering(self) -> str | None:
        """The way by which deliveries come whose senders the lab cannot answer; None: no such."""
        found = (each.via for each in self.all if not each.closed and not each.answers)
        return next(found, None)

    @property
    def all(self) -> list[Exposure]:
        """Those that were not replaced, closed ones included, the oldest first."""
        with self._lock:
            return list(self._open.values())

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user has to know of them all, a sentence each."""
        return tuple(notice for each in self.all for notice in each.notices)

    def close(self, *, staying: bool = False) -> None:
        """Close all; `staying`: but for those that go on where the listener does.

        Where that cannot be said, senders find nobody listening, which says it.
        """
        for each in self.all:
            if not (staying and each.stays):
                with suppress(WebhookLabError):
                    each.close()


def checked_address(url: str) -> str:
    """Return `url` if it is an address that can be called. Raises `ExposureError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ExposureError(f"{url!r} is no address: pass one like https://abc.example.")
    return url


def reach_of(url: str) -> str:
    """Who can reach an address, as far as the address tells: `NOBODY`, `NEARBY` or `ANYONE`."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return NOBODY
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return NOBODY if address.is_loopback else NEARBY if address.is_private else ANYONE
    return ANYONE if "." in host and not host.endswith((".local", ".internal")) else NEARBY
