"""A Lab's hand on the listener in another process: joins the one that runs, or starts one."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from webhooklab import __version__, clock
from webhooklab.defaults import (
    CHANNEL_ANSWER_SECONDS,
    PROCESS_PASSING_SECONDS,
    PROCESS_STOP_SECONDS,
)
from webhooklab.errors import AttachedError, ListenerProcessError
from webhooklab.exposure import Behind
from webhooklab.measures import Stalls
from webhooklab.ownership import Ownership
from webhooklab.processes.channel import Connection
from webhooklab.processes.peers import Ended, Handle, Peer
from webhooklab.processes.registry import Entry, Registry
from webhooklab.processes.starting import Wish, start

logger = logging.getLogger(__name__)

_TO_THE_CELL: Final = 9
"""Frames between the start of a process and the cell that made the Lab."""


class _Passing(Exception):
    """A listener is just starting, or just ending: the next moment things are clear."""


class Remote:
    """The process that listens for a capture file, from `reach` to `close`.

    `leads`: this is the one Lab that may give it rules, and pull beside it. `on_rows` is called
    when there are new deliveries, `on_end` when the process has ended by itself.
    """

    def __init__(
        self,
        entry: Entry,
        *,
        outlives: bool,
        on_rows: Callable[[], object],
        on_end: Callable[[], object],
    ) -> None:
        self.stalls = Stalls()
        """How often this kernel stood still."""
        self.leads = False
        self.checked: list[str] = []
        """Paths below which signatures were checked before this Lab began to lead."""
        self._entry = entry
        self._outlives = outlives
        self._asked: dict[str, Callable[..., Any]] = {"rows": on_rows}
        self._connection = connected(entry, self._serve, lambda _peer: on_end())
        self._connection.watch(self.stalls)

    @classmethod
    def reach(
        cls, wish: Wish, *, on_rows: Callable[[], object], on_end: Callable[[], object]
    ) -> Self | None:
        """Join the process that listens for the file, or start one.

        None: what listens takes no commands, because it lives in another kernel. Raises
        `ListenerProcessError`, also when the process that runs listens otherwise than wished.
        """
        deadline = clock.monotonic() + PROCESS_PASSING_SECONDS
        while True:
            try:
                entry = _found_or_started(wish)
                return None if entry.address is None else cls._joined(entry, wish, on_rows, on_end)
            except _Passing as passing:
                if clock.monotonic() > deadline:
                    _check_taken(wish, passing)
                    return None
                clock.pause(0.05)

    @classmethod
    def _joined(
        cls, entry: Entry, wish: Wish, on_rows: Callable[[], object], on_end: Callable[[], object]
    ) -> Self:
        if entry.version != __version__:
            raise ListenerProcessError(
                f"{entry!r} runs webhooklab {entry.version}, this is {__version__}: end it with "
                f"`webhooklab stop {wish.file}`, and open the Lab again."
            )
        try:
            remote = cls(entry, outlives=wish.outlives, on_rows=on_rows, on_end=on_end)
        except ConnectionRefusedError as error:
            raise _Passing from error
        try:
            remote._lead(wish)
        except BaseException:
            remote._connection.close()
            raise
        return remote

    def _lead(self, wish: Wish) -> None:
        try:
            told = self.call("lead", pid=os.getpid(), options=wish.options, outlives=wish.outlives)
        except ListenerProcessError as error:
            raise _Passing from error
        if told["differs"]:
            raise ListenerProcessError(
                f"{self._entry!r} was opened with {', '.join(told['differs'])}. Open the Lab like "
                f"that, or end that process first: `webhooklab stop {wish.file}`."
            )
        self.leads = told["leads"]
        self.checked = told["checked"]

    @property
    def url(self) -> str:
        """Where the process listens; ends in "/"."""
        return self._entry.url

    @property
    def pid(self) -> int:
        """The process."""
        return self._entry.pid

    def call(self, name: str, /, timeout: float = CHANNEL_ANSWER_SECONDS, **arguments: Any) -> Any:
        """Have the process do something. Raises `ListenerProcessError`, or what it raises."""
        return self._connection.peer.call(name, timeout, **arguments)

    def give(self, name: str, value: Any) -> Any:
        """Give the process something to go by, as JSON has it: it keeps it in memory only.

        It is there while no kernel is. For the Lab that leads; raises `AttachedError`. Returns
        what the process says to it.
        """
        return self.call("give", name=name, value=value)

    def answer(self, name: str, function: Callable[..., Any]) -> None:
        """Have the process ask `function` from now on (`Leading.ask`), while this Lab leads."""
        self._asked[name] = function

    @property
    def behind(self) -> Behind:
        """What an exposure hands deliveries on to."""
        return Behind(**self.call("behind"))

    def goes_on(self, *, leaving: bool) -> bool:
        """Whether the process does, once this has let go of it. `leaving`: the kernel ends."""
        return self._entry.terminal or (leaving and self._outlives)

    def close(self, *, stop: bool) -> None:
        """Let go of the process; `stop` ends it, too, where it is ours to end. Repeatable."""
        try:
            if stop and self.leads and not self._entry.terminal:
                self._stop()
            elif self.leads:
                self.call("leave")
        except ListenerProcessError as error:
            logger.debug("%r had ended already: %s", self._entry, error)
        self.leads = False
        self._connection.close()

    def _stop(self) -> None:
        self.call("stop")
        if not self._connection.ended.wait(PROCESS_STOP_SECONDS):
            logger.warning("%r is slow to end: see `webhooklab status`", self._entry)

    def _serve(self, _peer: Peer, name: str, arguments: dict[str, Any]) -> Any:
        return self._asked[name](**arguments)


def connected(
    entry: Entry,
    handle: Handle = lambda *_: None,
    on_end: Ended = lambda _peer: None,
) -> Connection:
    """A connection to a listener's process. Raises `ListenerProcessError` when it stands still.

    Raises `ConnectionRefusedError` when it has ended meanwhile.
    """
    try:
        return Connection(str(entry.address), str(entry.key), handle, on_end)
    except TimeoutError as error:
        raise ListenerProcessError(
            f"Process {entry.pid}, which listens for {Path(entry.file).name}, does not answer: "
            f"end it (`kill {entry.pid}`), and open the Lab again."
        ) from error


def _found_or_started(wish: Wish) -> Entry:
    registry = Registry()
    entry = registry.find(wish.file)
    if entry is not None:
        return entry
    if Ownership(wish.file).taken():
        raise _Passing
    try:
        start(wish, _TO_THE_CELL)
    except AttachedError as error:  # another kernel was faster
        raise _Passing from error
    entry = registry.find(wish.file)
    if entry is None:
        raise _Passing
    return entry


def _check_taken(wish: Wish, passing: _Passing) -> None:
    """Whoever holds the file takes no commands, then. Raises where nobody does."""
    if not Ownership(wish.file).taken():
        raise ListenerProcessError(
            f"A process that listens for {wish.file.name} could be started, but not talked to: "
            f"{passing.__cause__ or 'it has ended at once'}. Open the Lab again, or use "
            'listener="thread".'
        ) from passing
