"""The secret part of a capture file's public URL: kept, so that the URL stays the same."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path

import platformdirs

from webhooklab.defaults import EXPOSURE_SECRET_BYTES
from webhooklab.errors import ExportError, ExposureError
from webhooklab.whole import written_whole


class Secret:
    """The secret for the capture file `file`: `text`, found or made.

    It is in the user's state folder, for its owner only: a capture file may be given to others.
    Raises `ExposureError` when it cannot be kept.
    """

    def __init__(self, file: Path) -> None:
        digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:32]
        folder = platformdirs.user_state_path("webhooklab", appauthor=False) / "exposures"
        self._file = file
        self._place = folder / f"{digest}.json"
        self.text = self._kept() or self.renew()

    def renew(self) -> str:
        """Have a new one from now on; returns it."""
        self.text = secrets.token_urlsafe(EXPOSURE_SECRET_BYTES)
        content = json.dumps({"file": str(self._file), "secret": self.text})
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with written_whole(self._place) as place:
                place.write(content.encode())
        except (OSError, ExportError) as error:
            raise ExposureError(
                f"The public URL's secret cannot be kept in {self._place.parent}: {error} "
                "Make that folder writable, or set XDG_STATE_HOME to one that is."
            ) from error
        return self.text

    def _kept(self) -> str | None:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            return str(json.loads(self._place.read_bytes())["secret"]) or None
        return None
