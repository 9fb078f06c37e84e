"""What a forked child lets go of: it has copies of our files and sockets, and none of our threads.

`os.fork`, and `multiprocessing` where it forks. What the child has are copies of what is its
parent's: it must not use, close or unlock them as if they were its own, and must not keep a port
taken when the parent has died. https://www.sqlite.org/howtocorrupt.html, section 2.6
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Callable
from types import MethodType

from webhooklab.defaults import FORK_PATIENCE_SECONDS

logger = logging.getLogger(__name__)

_registry = threading.Lock()
_in_child: list[Callable[[], Callable[[], object] | None]] = []
_locks: weakref.WeakSet[threading.Lock] = weakref.WeakSet()
_held: list[threading.Lock] = []


def in_child(function: Callable[[], object]) -> None:
    """Have a function called in a forked child; an object's method, for as long as it lives."""
    is_method = isinstance(function, MethodType)
    reference = weakref.WeakMethod(function) if is_method else lambda: function
    with _registry:
        _in_child[:] = [each for each in _in_child if each() is not None]
        _in_child.append(reference)


def hold_back(lock: threading.Lock) -> None:
    """Have no fork happen while this lock is held, unless that takes too long."""
    with _registry:
        _locks.add(lock)


def _before() -> None:
    _registry.acquire()
    _held[:] = [lock for lock in _locks if lock.acquire(timeout=FORK_PATIENCE_SECONDS)]


def _after() -> None:
    while _held:
        _held.pop().release()
    _registry.release()


def _let_go() -> None:
    _after()
    for reference in _in_child:
        if (function := reference()) is not None:
            try:
                function()
            except Exception:  # the others are to let go all the same
                logger.exception("a forked process could not let go of what is its parent's")


def leave(numbers: list[int]) -> None:
    """Let go of open files without a word to anybody, while objects still have their numbers.

    They are the parent's too, who goes on with them: nothing is shut down or unlocked.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        with contextlib.suppress(OSError):
            os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_let_go)
