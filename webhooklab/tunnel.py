"""A lab exposed by a tunnel that the user has made: ngrok, cloudflared, or any other."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from webhooklab.errors import ExposureError
from webhooklab.exposure import ANYONE, Exposure, checked_address, reach_of
from webhooklab.gates import TakesGates
from webhooklab.secret import TUNNEL, Secret, kept_gates

VIA: Final = TUNNEL


class TunnelExposure(Exposure):
    """A lab at `{the tunnel's address}/<secret>/`; the tunnel leads to the lab's own URL.

    All else that comes by the tunnel gets 404. Raises `ExposureError` for what is no address.
    """

    via = VIA

    def __init__(self, file: Path, gates: TakesGates, address: str, *, name: str = VIA) -> None:
        self._address = checked_address(address).rstrip("/")
        if urlsplit(self._address).path:
            raise ExposureError(f"{address!r} has a path: pass the tunnel's address without one.")
        self.name = name
        self._file = file
        self._gates = gates
        self._secret = Secret(file, VIA)
        self._set()

    def _set(self) -> None:
        gate = self._secret.gate(self.host, self._address, open=not self._closed)
        self._gates.set(self.host, gate)

    @property
    def host(self) -> str:
        """What senders by the tunnel call."""
        return urlsplit(self._address).netloc.rpartition("@")[2].lower()

    @property
    def url(self) -> str:
        return f"{self._address}/{self._secret.text}/"

    @property
    def state(self) -> str:
        if self._closed:
            return "closed, senders are told to try again later"
        return f"open as long as the tunnel is, {reach_of(self._address)}"

    @property
    def notices(self) -> tuple[str, ...]:
        reach = reach_of(self._address)
        if self._closed or reach == ANYONE:
            return ()
        return (f"The public URL is not public: {reach}. Pass the address that others use.",)

    def close(self) -> None:
        self._closed = True
        self._set()

    def give_way(self, to: Exposure) -> None:
        """Where both have one gate, it is the later one's, and no sender is to find it shut."""
        self._closed = True
        if not (isinstance(to, TunnelExposure) and to.host == self.host):
            self._set()

    def revoke(self) -> None:
        self._closed = True
        self._secret.renew()
        self._set()
        for host, gate in kept_gates(self._file).items():  # those of earlier tunnels, too
            self._gates.set(host, gate)

    def blame(self, status: int | None) -> str:
        host = urlsplit(self._address).hostname
        if status is None:
            return f"Nothing answers at {host}: see that the tunnel runs, and that this is its URL."
        return (
            f"The tunnel answers {status}: see that it leads to the port of lab.url, and that it "
            "keeps the Host header, or passes it on in X-Forwarded-Host."
        )
