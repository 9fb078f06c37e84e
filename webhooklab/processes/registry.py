"""Which listeners there are on this machine: a small file for each, in the user's state folder.

An entry outlives a crash, the lock on its capture file does not: that tells the living apart.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from webhooklab import __version__
from webhooklab.errors import ExportError
from webhooklab.ownership import Ownership
from webhooklab.private import state_folder, write_private

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A listener: its capture file, process and URL; `since` in us since the epoch.

    `address` and `key` are where its process takes commands; None: it takes none (it lives in a
    notebook's kernel). `terminal`: somebody waits for its end in a terminal, so a Lab that closes
    leaves it running. `version` is that of webhooklab.
    """

    file: str
    pid: int
    url: str
    since: int
    address: str | None = None
    key: str | None = None
    terminal: bool = False
    version: str = __version__

    def __repr__(self) -> str:
        return f"<listener for {self.file} in process {self.pid} at {self.url}>"


class Registry:
    """The listeners of this user on this machine. `folder` None: the user's state folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder("listeners")

    def add(self, entry: Entry) -> bool:
        """Note a listener, in place of an earlier one of its file; False where that cannot be.

        Listening goes on without it; only nobody finds the listener.
        """
        try:
            write_private(self._place(Path(entry.file)), asdict(entry))
        except (OSError, ExportError) as error:
            logger.warning("%s cannot be listed: %s", entry, error)
            return False
        return True

    def remove(self, file: Path, pid: int) -> None:
        """Forget the listener of a file, if it still is that process."""
        entry = self._read(self._place(file))
        if entry is not None and entry.pid == pid:
            self._place(file).unlink(missing_ok=True)

    def find(self, file: Path) -> Entry | None:
        """The listener of a file that lives; None if there is none."""
        entry = self._read(self._place(file))
        return entry if entry is not None and _lives(entry) else None

    def living(self) -> list[Entry]:
        """All listeners that live, the oldest first. Entries of dead ones are deleted."""
        found = []
        for place in self._folder.glob("*.json") if self._folder.is_dir() else ():
            entry = self._read(place)
            if entry is not None and _lives(entry):
                found.append(entry)
            else:
                place.unlink(missing_ok=True)
        return sorted(found, key=lambda entry: entry.since)

    def _place(self, file: Path) -> Path:
        name = hashlib.blake2b(os.fsencode(file), digest_size=16).hexdigest()
        return self._folder / f"{name}.json"

    @staticmethod
    def _read(place: Path) -> Entry | None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Entry(**json.loads(place.read_text()))
        return None


def _lives(entry: Entry) -> bool:
    """Whether somebody holds the lock of its capture file."""
    file = Path(entry.file)
    return file.parent.is_dir() and Ownership(file).taken()
