"""A Lab's hand on the listener in another process: starts it, or joins the one that runs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from webhooklab import errors
from webhooklab.defaults import CHANNEL_ANSWER_SECONDS, PROCESS_START_SECONDS
from webhooklab.errors import ListenerProcessError
from webhooklab.processes.channel import Connection, Ended, Handle, Peer
from webhooklab.processes.registry import Entry, Registry

# The folder of this package comes last: where the package is installed, that one counts.
_CODE: Final = (
    "import sys; sys.path.append(sys.argv[1]); from webhooklab.standalone import main; main()"
)
_PACKAGE: Final = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the process is to listen, if it is to be started. `outlives`: not only for this kernel.

    `options` are those of `parts.Options`, as JSON has them.
    """

    file: Path
    options: dict[str, Any]
    outlives: bool


def _ignore(_peer: Peer, _name: str, _arguments: dict[str, Any]) -> None:
    """Who only asks needs not be told anything."""


class Remote:
    """The process that listens for a capture file, from construction to `close`.

    `on_rows` is called when there are new deliveries, `on_end` when the process has ended by
    itself. `leads`: this is the one Lab that may give it rules, and pull beside it.
    """

    def __init__(
        self, wish: Wish, *, on_rows: Callable[[], object], on_end: Callable[[], object]
    ) -> None:
        self._on_rows = on_rows
        self._on_end = on_end
        self._closing = False
        self._process: subprocess.Popen[str] | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(self._end_own)
            self._entry = self._join_or_start(wish)
            self._connection = connected(self._entry, self._take, self._ended)
            self.leads = bool(self.call("lead"))
            undo.pop_all()

    @property
    def url(self) -> str:
        """Where the process listens; ends in "/"."""
        return self._entry.url

    @property
    def pid(self) -> int:
        """The process."""
        return self._entry.pid

    def call(self, name: str, timeout: float = CHANNEL_ANSWER_SECONDS, **arguments: Any) -> Any:
        """Have the process do something. Raises `ListenerProcessError`, or what it raises."""
        return self._connection.peer.call(name, timeout, **arguments)

    def close(self, *, stop: bool) -> None:
        """Let go of the process; `stop` ends it, too. Repeatable."""
        if self._closing:
            return
        self._closing = True
        if stop and self.leads:
            with contextlib.suppress(ListenerProcessError):
                self.call("stop")
        self._connection.close()
        if stop or self._tied:
            self._end_own()

    @property
    def _tied(self) -> bool:
        return self._process is not None and self._process.stdin is not None

    def _end_own(self) -> None:
        """End the process that this one started, and wait for it."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()  # it lives as long as this is open
        self._process.terminate()
        self._process.wait()

    def _join_or_start(self, wish: Wish) -> Entry:
        entry = Registry().find(wish.file)
        if entry is None:
            self._process = _started(wish)
            entry = Registry().find(wish.file)
        if entry is None or entry.address is None:
            raise ListenerProcessError(
                f"Another program listens for {wish.file.name} already ({entry!r}). Close it, or "
                'open the Lab without listener="process" to look on.'
            )
        return entry

    def _take(self, _peer: Peer, name: str, _arguments: dict[str, Any]) -> None:
        if name == "rows":
            self._on_rows()

    def _ended(self, _peer: Peer) -> None:
        if not self._closing:
            self._on_end()


def connected(
    entry: Entry, handle: Handle = _ignore, ended: Ended = lambda _peer: None
) -> Connection:
    """A connection to a listener's process. Raises `ListenerProcessError`."""
    try:
        return Connection(str(entry.address), str(entry.key), handle, ended)
    except OSError as error:
        raise ListenerProcessError(
            f"Process {entry.pid}, which listens for {Path(entry.file).name}, does not answer. "
            "End it, and open the Lab again."
        ) from error


def _started(wish: Wish) -> subprocess.Popen[str]:
    """A new process that listens. Raises what kept it from listening."""
    process = subprocess.Popen(  # noqa: S603 - our own code, by this interpreter
        [sys.executable, "-c", _CODE, _PACKAGE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal, or an interrupted cell, is not for it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = {"path": str(wish.file), "options": wish.options, "outlives": wish.outlives}
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    if wish.outlives:
        process.stdin.close()
        process.stdin = None
    with process.stdout as stdout:
        answer = _line(process, stdout.readline)
    if "error" in answer:
        process.wait(PROCESS_START_SECONDS)
        raise getattr(errors, answer["kind"], ListenerProcessError)(answer["error"])
    return process


def _line(process: subprocess.Popen[str], read: Callable[[], str]) -> dict[str, Any]:
    """The first line that it says, for which it has some time."""
    timer = threading.Timer(PROCESS_START_SECONDS, process.kill)
    timer.start()
    try:
        line = read()
    finally:
        timer.cancel()
    if not line:
        process.kill()
        process.wait()
        raise ListenerProcessError(
            "The process that was to listen ended at once, or did not start in "
            f"{PROCESS_START_SECONDS:g} s. Try `webhooklab listen` in a terminal: it says why."
        )
    answer: dict[str, Any] = json.loads(line)
    return answer
