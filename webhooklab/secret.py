"""The secret part of a capture file's public URLs: kept, so that a URL stays the same.

Each way has its own: what has leaked by one opens no other. Beside them are the addresses that
tunnels of the user's have brought here: what comes by one is to know the secret, also when the
listener has begun anew and nobody has exposed it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from webhooklab.defaults import EXPOSURE_SECRET_BYTES, MAX_KEPT_GATES
from webhooklab.errors import ExportError, ExposureError, sentence
from webhooklab.gates import Gate
from webhooklab.private import state_folder, write_private

TUNNEL: Final = "tunnel"
"""The way that has gates."""
JUPYTER: Final = "jupyter"
LISTENER: Final = "listener"
"""The way without any: a listener that others reach themselves."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept for a capture file. `secrets`: by the way.

    `gates`: whether what comes by a host is let through. `tunnel`: the newest one's address.
    """

    file: str
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    gates: dict[str, bool] = field(default_factory=dict)
    tunnel: str = ""


class Secret:
    """The secret for the capture file `file` by one way: `text`, found or made.

    It is in the user's state folder, for its owner only: a capture file may be given to others.
    Raises `ExposureError` when it cannot be kept.
    """

    def __init__(self, file: Path, way: str) -> None:
        self._file = file
        self._way = way
        self.text = kept_secret(file, way) or self.renew()

    def renew(self) -> str:
        """Have a new one from now on; returns it."""
        kept = _read(self._file)
        self.text = secrets.token_urlsafe(EXPOSURE_SECRET_BYTES)
        _write(self._file, replace(kept, secrets={**kept.secrets, self._way: self.text}))
        return self.text

    def gate(self, host: str, address: str, *, open: bool) -> Gate:  # noqa: A002 - the gate's word
        """The gate for what comes by a tunnel with this address, kept from now on: `kept_gates`.

        Where another exposure of the file has renewed the secret, the new one is this one's, too.
        """
        kept = _read(self._file)
        self.text = kept.secrets.get(self._way, self.text)
        kept = replace(kept, secrets={**kept.secrets, self._way: self.text})
        _write(self._file, _with_gate(kept, host, address, open=open))
        return Gate(f"/{self.text}", open=open)


def _with_gate(kept: _Kept, host: str, address: str, *, open: bool) -> _Kept:  # noqa: A002
    """The same with this gate: what is closed keeps its place, what is opened is the newest."""
    gates = {**kept.gates}
    if not open and host in gates:
        return replace(kept, gates={**gates, host: False})
    gates.pop(host, None)
    newest = dict([*gates.items(), (host, open)][-MAX_KEPT_GATES:])
    return replace(kept, gates=newest, tunnel=address)


def kept_secret(file: Path, way: str) -> str | None:
    """The secret of a capture file by a way; None where it has none."""
    return _read(file).secrets.get(way)


def kept_gates(file: Path) -> dict[str, Gate]:
    """The gates of a capture file by host, as they were last set."""
    kept = _read(file)
    secret = kept.secrets.get(TUNNEL)
    if secret is None:
        return {}
    return {host: Gate(f"/{secret}", open=lets) for host, lets in kept.gates.items()}


def open_tunnel(file: Path) -> str | None:
    """The address of the newest tunnel, where what comes by it is let through; else None."""
    kept = _read(file)
    newest_is_open = next(reversed(kept.gates.values()), False)
    return kept.tunnel if newest_is_open and kept.tunnel else None


def _place(file: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:32]
    return state_folder("exposures") / f"{digest}.json"


def _write(file: Path, kept: _Kept) -> None:
    keep(_place(file), asdict(kept), "The public URL's secret")


def keep(place: Path, fields: dict[str, Any], what: str) -> None:
    """Write `what`, as JSON, for its owner only. Raises `ExposureError` where that cannot be."""
    try:
        write_private(place, fields)
    except (OSError, ExportError) as error:
        raise ExposureError(
            f"{what} cannot be kept in {place.parent}: {sentence(error)} "
            "Make that folder writable, or set XDG_STATE_HOME to one that is."
        ) from error


def _read(file: Path) -> _Kept:
    """What is kept: nothing where nothing is, or nothing that can be read."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return _Kept(**json.loads(_place(file).read_bytes()))
    return _Kept(str(file))
