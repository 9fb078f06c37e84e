"""`Lab`: assembly for a notebook, nothing else. Each method hands on to the part that does it.

    frames deliveries waiting meaning senders    groups of its methods
    answers pull_side send_side comparing reach keeping studying display
    pulls resending                              what the inbox shows of them, and has them do
    face                                         what they stand on: the parts

The parts themselves are opened and closed in `webhooklab.parts`.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from webhooklab import forks
from webhooklab.capturing import Options
from webhooklab.defaults import CAPTURE_PATH, HOST, MAX_BODY_BYTES
from webhooklab.errors import CaptureFileError, ListenerProcessError
from webhooklab.lab.answers import Answers
from webhooklab.lab.comparing import Comparing
from webhooklab.lab.display import Display
from webhooklab.lab.meaning import Meaning
from webhooklab.lab.pull_side import PullSide
from webhooklab.lab.reach import Reach
from webhooklab.lab.send_side import SendSide
from webhooklab.lab.senders import Senders
from webhooklab.lab.studying import Studying
from webhooklab.lab.waiting import Reacting
from webhooklab.listening import Elsewhere
from webhooklab.parts import Parts
from webhooklab.retention import Given, parse_keep

__all__ = ["Lab"]

_open_labs: dict[Path, Lab] = {}
_open_labs_lock = threading.RLock()
_temporary: list[str] = []
"""Folders that go when the process ends."""


class Lab(
    Display, Reacting, Studying, Meaning, Senders, Answers, PullSide, SendSide, Comparing, Reach
):
    """Captures webhooks into a file, and shows them as DataFrames.

    `Lab()` opens (or creates) the capture file `path` and listens at `url`. Opened again in the
    same process, the file's earlier Lab is closed first, so a cell can be run again and again.
    While another process listens for the file, this Lab is *attached*: it sees rows and does not
    listen; once that process has ended, opening the file again listens. A closed Lab still reads.

    `path`: None is a temporary file, gone when the process ends. `port`: None is the port that
    the file used last, else a free one, which it then remembers. `host`: on any other than a
    loopback address the URL has a segment that cannot be guessed, and all else gets 404.
    `max_body_bytes`: a larger body gets 413. `allow_origins`: web pages of these origins may read
    our answers (CORS); "*" is any. `snapshot`: when the Lab closes, its inbox becomes a static
    table of the newest deliveries, so that the saved notebook shows something without a kernel.
    `handshakes`: answer what providers ask before they send (Slack's challenge, and the like).

    `listener`: "thread" listens in this process, so a kernel restart refuses connections for a
    moment, and one long C call that holds the interpreter's lock delays answers. "process" listens
    in a process of its own, and no sender notices what the notebook does; the next kernel that
    opens the file finds it again, with its rules and secrets. `outlives`: that process ends with
    `close`, or by `webhooklab stop`; False: also with this kernel. It knows the providers that come
    with webhooklab; what you registered here, the next `lab.map` interprets anew.

    `keep`: how much of what was captured stays: "7d" (s, min, h, d, w), 100_000 deliveries, or
    "2GB" (MB, GB, TB, or MiB, ...) of file. What listens drops the oldest in the background, and
    the inbox says so; None keeps all. It holds for as long as this listener does, and is not
    remembered by the file: what opens it without `keep` deletes nothing.

    Raises `CaptureFileError` for a file that cannot be used, `PortTakenError` for a port,
    `RetentionError` for a `keep` that is none, `ListenerProcessError` when the process cannot be
    started, or runs already with other options than these.
    """

    def __init__(
        self,
        path: str | Path | None = CAPTURE_PATH,
        *,
        host: str = HOST,
        port: int | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_origins: Sequence[str] = (),
        snapshot: bool = True,
        handshakes: bool = True,
        listener: Literal["thread", "process"] = "thread",
        outlives: bool = True,
        keep: Given = None,
    ) -> None:
        kept = parse_keep(keep)
        self.path = _resolve(path)
        self._snapshot = snapshot
        options = Options(
            host=host,
            port=port,
            max_body_bytes=max_body_bytes,
            allow_origins=allow_origins,
            handshakes=handshakes,
            keep=kept,
        )
        elsewhere = _elsewhere(listener, outlives=outlives and path is not None)
        with _open_labs_lock:
            earlier = _open_labs.get(self.path)
            if earlier is not None:
                earlier._close(leaving=True)  # noqa: SLF001 - its listener may go on for this one
            self._parts = Parts(self.path, options, elsewhere)
            _open_labs[self.path] = self

    @property
    def url(self) -> str:
        """Where to send webhooks: ends in "/"; every path below it and every method is captured.

        Attached, it is the URL of the process that listens.
        """
        return self._parts.url

    @property
    def listening(self) -> bool:
        """Whether this Lab receives webhooks: itself, or by a process of its own."""
        return self._parts.leads

    @property
    def attached(self) -> bool:
        """Whether another process listens for the file, and this Lab only looks on."""
        return self._parts.attached

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._parts.closed

    def close(self) -> None:
        """Free the port and end what runs. Deliveries being committed are still answered.

        Reading goes on. A second call does nothing.
        """
        self._close()

    def _close(self, *, leaving: bool = False) -> None:
        with _open_labs_lock:
            if _open_labs.get(self.path) is self:
                del _open_labs[self.path]
        self._parts.close(leaving=leaving)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._parts.parent is not None:
            return f"<Lab {self.url} of process {self._parts.parent}, of which this one is a fork>"
        count = len(self)
        deliveries = "delivery" if count == 1 else "deliveries"
        return f"<Lab {self.url} {self._parts.headline}; {count:,} {deliveries}>"


def _elsewhere(listener: str, *, outlives: bool) -> Elsewhere | None:
    if listener not in ("thread", "process"):
        raise ListenerProcessError(f'listener={listener!r}: pass "thread" or "process".')
    return Elsewhere(outlives) if listener == "process" else None


def _resolve(path: str | Path | None) -> Path:
    if path is None:
        _temporary.append(tempfile.mkdtemp(prefix="webhooklab-"))
        return Path(_temporary[-1], CAPTURE_PATH).resolve()
    if str(path) == ":memory:":
        raise CaptureFileError(
            '":memory:" would lose everything with the kernel: use Lab(None) for a temporary file.'
        )
    return Path(path).expanduser().resolve()


def _forked() -> None:
    """What is open is the parent's, and so are its folders."""
    global _open_labs_lock  # noqa: PLW0603 - another thread may have had it, and is not here
    _open_labs_lock = threading.RLock()
    _open_labs.clear()
    _temporary.clear()


forks.in_child(_forked)


@atexit.register
def _close_all() -> None:
    for lab in list(_open_labs.values()):
        lab._close(leaving=True)  # noqa: SLF001 - this module's own
    for folder in _temporary:  # once nobody writes there any more
        shutil.rmtree(folder, ignore_errors=True)
