"""Which of the Labs that are connected to a listener's process leads it, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from webhooklab.errors import AttachedError, ListenerProcessError
from webhooklab.processes.peers import Peer


class Leading:
    """At most one connected Lab at a time leads: it alone gives rules, and is asked.

    `on_change` is called when a Lab has begun to lead, or leads no more.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._leader: Peer | None = None
        self._takers: dict[str, Callable[[Any], Any]] = {}
        self.pid: int | None = None
        """The kernel whose Lab leads; None while none does."""

    def begin(self, peer: Peer, pid: int) -> bool:
        """Have a Lab lead if none does; whether it leads now."""
        with self._lock:
            if self._leader is None:
                self._leader, self.pid = peer, pid
            leads = self._leader is peer
        self._on_change()
        return leads

    def leave(self, peer: Peer) -> None:
        """This Lab leads no more, if it did. What it gave stays."""
        with self._lock:
            if self._leader is not peer:
                return
            self._leader = self.pid = None
        self._on_change()

    def takes(self, name: str, take: Callable[[Any], Any]) -> None:
        """Have `take` called with what a leading Lab gives under this name. It may refuse."""
        self._takers[name] = take

    def give(self, peer: Peer, name: str, value: Any) -> Any:
        """The leading Lab gives something; returns what the taker says to it.

        Raises `AttachedError` for any other Lab.
        """
        if peer is not self._leader:
            raise AttachedError(
                "Another Lab leads the process that listens: do it there, or end that Lab, and "
                "open this one again."
            )
        return self._takers[name](value)

    def ask(self, name: str, /, timeout: float, **arguments: Any) -> Any:
        """What the leading Lab answers within `timeout` seconds.

        Raises `ListenerProcessError` when none leads, or its kernel stands still or has ended: then
        what it gave last has to do.
        """
        leader = self._leader
        if leader is None:
            raise ListenerProcessError("No Lab leads the process that listens just now.")
        return leader.call(name, timeout, **arguments)
