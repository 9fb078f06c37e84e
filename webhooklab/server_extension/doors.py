"""Which secrets lead to which lab: small files that kernels and server of one user share.

They are in Jupyter's runtime folder, for their owner only, and named after the secret's SHA-256:
who asks with a secret is looked up by its hash, so that nothing is compared that could be guessed
character by character, and the folder's listing opens nothing. The door to `jupyter_core`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from jupyter_core.paths import jupyter_runtime_dir

from webhooklab import clock
from webhooklab.exposure import Behind
from webhooklab.private import write_private

_TELLING_APART_US: Final = 1_000_000
"""Two files that follow each other within a tick of the file system's clock may look the same: a
file is taken for known only when it is older than this."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a secret leads. `listener` None: the lab is away, and its senders are to try again.

    `address`: the server's for others, where the user has said it.
    """

    listener: str | None = None
    key: str = field(default="", repr=False)
    max_body_bytes: int = 0
    address: str = ""

    @property
    def behind(self) -> Behind | None:
        """The listener; None: the lab is away."""
        if self.listener is None:
            return None
        return Behind(self.listener, self.key, self.max_body_bytes)


@dataclass(frozen=True, slots=True)
class ServerNote:
    """What a Jupyter server that has the extension tells its kernels.

    `base_url` is the path where it is ("/", "/user/ada/"); `public_url` its address for others,
    "" where it does not know; `local_url` is good for this machine at least.
    """

    pid: int
    base_url: str
    public_url: str
    local_url: str = "http://localhost/"


class Doors:
    """All doors of this user. Raises `OSError` or `ExportError` where they cannot be written."""

    def __init__(self) -> None:
        self._folder = Path(jupyter_runtime_dir()) / "webhooklab"
        self._found: dict[str, tuple[tuple[int, int], Door]] = {}

    def find(self, secret: str) -> Door | None:
        """Where a secret leads; None for one that nobody was given, or that was revoked.

        A file that is still the same one is not read again: others are put in its place whole.
        """
        place = self._place(secret)
        try:
            status = place.stat()
            version = status.st_ino, status.st_mtime_ns
            known = self._found.get(place.name)
            if known is None or known[0] != version:
                known = version, Door(**json.loads(place.read_bytes()))
                if clock.now_us() - status.st_mtime_ns // 1_000 > _TELLING_APART_US:
                    self._found[place.name] = known
        except FileNotFoundError:
            self._found.pop(place.name, None)
            return None
        return known[1]

    def set(self, secret: str, door: Door) -> None:
        """Have a secret lead there from now on."""
        write_private(self._place(secret), asdict(door))

    def remove(self, secret: str) -> None:
        """Have a secret lead nowhere, as if it had never been given."""
        self._place(secret).unlink(missing_ok=True)

    def announce(self, note: ServerNote) -> Path:
        """Tell kernels of the server that runs here; returns what to delete when it ends."""
        place = self._note(note.pid)
        write_private(place, asdict(note))
        return place

    def server(self, pid: int) -> ServerNote | None:
        """What the server with this process id told; None: it runs without the extension."""
        try:
            note = ServerNote(**json.loads(self._note(pid).read_bytes()))
        except FileNotFoundError:
            return None
        with contextlib.suppress(OSError, ValueError, KeyError):
            own = self._folder.with_name(f"jpserver-{pid}.json")  # Jupyter's
            return replace(note, local_url=str(json.loads(own.read_bytes())["url"]))
        return note

    def _place(self, secret: str) -> Path:
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{digest}.json"

    def _note(self, pid: int) -> Path:
        return self._folder / f"server-{pid}.json"
