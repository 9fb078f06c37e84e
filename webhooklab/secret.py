"""The secret part of a capture file's public URL: kept, so that the URL stays the same.

Beside it are the addresses that tunnels of the user's have brought here: what comes by one is to
know the secret, also when the listener has begun anew and nobody has exposed it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from webhooklab.defaults import EXPOSURE_SECRET_BYTES, MAX_KEPT_GATES
from webhooklab.errors import ExportError, ExposureError
from webhooklab.gates import Gate
from webhooklab.whole import written_whole


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept for a capture file. `gates`: whether what comes by a host is let through."""

    file: str
    secret: str = field(repr=False)
    gates: dict[str, bool] = field(default_factory=dict)


class Secret:
    """The secret for the capture file `file`: `text`, found or made.

    It is in the user's state folder, for its owner only: a capture file may be given to others.
    Raises `ExposureError` when it cannot be kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        kept = _kept(file)
        self.text = kept.secret if kept is not None else self.renew()

    def renew(self) -> str:
        """Have a new one from now on; returns it."""
        kept = _kept(self._file)
        self.text = secrets.token_urlsafe(EXPOSURE_SECRET_BYTES)
        _keep(self._file, _Kept(str(self._file), self.text, {} if kept is None else kept.gates))
        return self.text

    def gate(self, host: str, *, open: bool) -> Gate:  # noqa: A002 - the gate's own word
        """The gate for what comes by a host, kept from now on: see `kept_gates`.

        Where another exposure of the file has renewed the secret, the new one is this one's, too.
        """
        kept = _kept(self._file)
        gates = {} if kept is None else {**kept.gates}
        if kept is not None:
            self.text = kept.secret
        gates.pop(host, None)
        newest = dict([*gates.items(), (host, open)][-MAX_KEPT_GATES:])
        _keep(self._file, _Kept(str(self._file), self.text, newest))
        return Gate(f"/{self.text}", open=open)


def kept_secret(file: Path) -> str | None:
    """The secret of a capture file; None where it has none."""
    kept = _kept(file)
    return None if kept is None else kept.secret


def kept_gates(file: Path) -> dict[str, Gate]:
    """The gates of a capture file by host, as they were last set."""
    kept = _kept(file)
    if kept is None:
        return {}
    return {host: Gate(f"/{kept.secret}", open=lets) for host, lets in kept.gates.items()}


def _place(file: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:32]
    folder = platformdirs.user_state_path("webhooklab", appauthor=False) / "exposures"
    return folder / f"{digest}.json"


def _keep(file: Path, kept: _Kept) -> None:
    keep(_place(file), asdict(kept), "The public URL's secret")


def keep(place: Path, fields: dict[str, Any], what: str) -> None:
    """Write `what`, as JSON, for its owner only. Raises `ExposureError` where that cannot be."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with written_whole(place) as whole:
            whole.write(json.dumps(fields).encode())
    except (OSError, ExportError) as error:
        raise ExposureError(
            f"{what} cannot be kept in {place.parent}: {error} "
            "Make that folder writable, or set XDG_STATE_HOME to one that is."
        ) from error


def _kept(file: Path) -> _Kept | None:
    """What is kept; None where nothing is, or nothing that can be read."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        kept = _Kept(**json.loads(_place(file).read_bytes()))
        return kept if kept.secret else None
    return None
