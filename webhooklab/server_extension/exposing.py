"""The kernel's side: a lab exposed by the Jupyter server that its kernel belongs to."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from webhooklab.errors import ExportError, ExposureError, sentence
from webhooklab.exposure import ANYONE, NEARBY, NOBODY, Behind, Exposure, checked_address, reach_of
from webhooklab.secret import JUPYTER, Secret, kept_secret
from webhooklab.server_extension.doors import Door, Doors, ServerNote

VIA: Final = JUPYTER
_PATH: Final = "webhooklab/in/"
_SIGN_IN: Final = (301, 302, 303, 307, 308, 401, 403)
_HELP: Final = {
    NOBODY: (
        "Have a tunnel lead to lab.url (`cloudflared tunnel --url`, `ngrok http`), and pass its "
        "address: lab.expose(base_url=...)."
    ),
    NEARBY: "If it has another address outside, pass it: lab.expose('jupyter', base_url=...).",
}
"""What to do about a URL that is not public, by who can reach it."""


class JupyterExposure(Exposure):
    """A lab at `{the Jupyter server}webhooklab/in/<secret>/`.

    `address` is the server's for others, as the user gives it; None: what the server or, by
    `browser_url`, a browser knows. Raises `ExposureError` when there is no server that could.
    """

    via = VIA
    name = VIA

    def __init__(
        self,
        file: Path,
        behind: Behind,
        *,
        address: str | None,
        browser_url: Callable[[], str | None],
    ) -> None:
        self._address = checked_address(address) if address else None
        self._server = server_of_this_kernel()
        self._browser_url = browser_url
        self._doors = Doors()
        self._lock = threading.Lock()
        self._secret = Secret(file, VIA)
        self._lead(Door(behind.url, behind.key, behind.max_body_bytes, address or ""))

    def _lead(self, door: Door | None) -> None:
        """Have the URL lead there; None: nowhere."""
        with _told():
            if door is None:
                self._doors.remove(self._secret.text)
            else:
                self._doors.set(self._secret.text, door)

    @property
    def url(self) -> str:
        return f"{self._base}{_PATH}{self._secret.text}/"

    @property
    def _base(self) -> str:
        """The server's address, as far as it is known by now; ends in "/"."""
        told = self._address or self._server.public_url or self._browser_url()
        return _with_path(told or self._server.local_url, self._server.base_url)

    @property
    def state(self) -> str:
        if self._closed:
            return "closed, senders are told to try again later"
        return f"open, {reach_of(self._base)}"

    @property
    def notices(self) -> tuple[str, ...]:
        reach = reach_of(self._base)
        if self._closed or reach == ANYONE:
            return ()
        return (f"The public URL is not public: {reach}. {_HELP[reach]}",)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._lead(Door())

    def give_way(self, to: Exposure) -> None:
        """The later one's door is the same: it is open, and no sender is to find it shut."""
        with self._lock:
            self._closed = True

    def revoke(self) -> None:
        with self._lock:
            self._closed = True
            self._lead(None)
            self._secret.renew()

    def blame(self, status: int | None) -> str:
        host = urlsplit(self._base).hostname
        if status is None:
            return (
                f"Nothing answers at {host}. If others use another address, pass it: "
                "lab.expose('jupyter', base_url=...). If it is the right one, a machine inside may "
                "not be allowed to call it, and a provider outside may: ask who runs the server."
            )
        if status in _SIGN_IN:
            return (
                f"Something before the Jupyter server answers {status}, as one that wants a "
                "sign-in: a proxy, or a Hub whose server has stopped. Ask who runs it to let "
                f"{_PATH} pass."
            )
        return (
            f"What answers {status} at {host} is not webhooklab's extension: see that the address "
            "is that of the Jupyter server which this kernel belongs to."
        )


def shut(file: Path, key: str) -> None:
    """Have who sends to the file's public URL try again later, where it leads to who has the key.

    For a listener that ends while no Lab is there that has it exposed.
    """
    secret = kept_secret(file, VIA)
    if secret is not None and door_to(file, key) is not None:
        with _told():
            Doors().set(secret, Door())


def door_to(file: Path, key: str) -> Door | None:
    """Where the file's public URL leads, where that is to who has the key; None: it does not."""
    secret = kept_secret(file, VIA)
    with contextlib.suppress(OSError, ValueError, TypeError):
        door = None if secret is None else Doors().find(secret)
        return door if door is not None and door.key == key else None
    return None


def server_of_this_kernel() -> ServerNote:
    """The Jupyter server that started this kernel. Raises `ExposureError` when none did."""
    pid = os.environ.get("JPY_PARENT_PID", "")
    if not pid.isdecimal():
        raise ExposureError(
            "No Jupyter server started this Python, so it cannot make a public URL. Have a tunnel "
            "lead to lab.url, and pass its address: lab.expose(base_url=...)."
        )
    note = Doors().server(int(pid))
    if note is None:
        raise ExposureError(
            f"What started this kernel (process {pid}) is no Jupyter server with webhooklab's "
            "extension. If it is a Jupyter server, install webhooklab in its environment, too, see "
            "that `jupyter server extension list` shows it, and start it anew. If it is not (an "
            "editor, nbclient), have a tunnel lead to lab.url, and pass its address: "
            "lab.expose(base_url=...)."
        )
    return note


def _with_path(address: str, base_url: str) -> str:
    """A server's address, with its path where only the origin was given; ends in "/"."""
    path = urlsplit(address).path
    return address.rstrip("/") + (base_url if path in ("", "/") else "/")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with Jupyter's runtime folder, said as our error."""
    try:
        yield
    except (OSError, ExportError) as error:
        raise ExposureError(
            f"The Jupyter server cannot be told: {sentence(error)} It looks in its runtime folder "
            "(`jupyter --runtime-dir`), which must be writable."
        ) from error
