"""Answers that a user's function makes, each call on a thread, not on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from webhooklab.answering.making import Asker, Made
from webhooklab.answering.response import answer_from
from webhooklab.answering.usual import OK
from webhooklab.defaults import ANSWER_SECONDS, ANSWER_THREADS
from webhooklab.records import Answer, Delivery

Result = TypeVar("Result")

Function: TypeAlias = Callable[[Delivery], Any]
"""Gets a delivery and returns, or is awaited for, what its sender gets."""
Find: TypeAlias = Callable[[int], Delivery | None]

_FAILED = Answer(500, body=b"the function that answers has failed")


class Calls:
    """Calls a function for each delivery: so many at a time, the others wait.

    A thread ends when there is nothing left to call, so nothing has to be stopped. What goes wrong
    in the function is shown with its traceback, as is what it returns that is no answer.
    """

    def __init__(self, function: Function, find: Find) -> None:
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.seconds = ANSWER_SECONDS
        self._function = function
        self._find = find
        self._waiting: deque[tuple[int, Asker]] = deque()
        self._threads = 0
        self._lock = threading.Lock()

    def make(self, seq: int, asker: Asker) -> None:
        """Have the function called soon, with the delivery as it is stored."""
        with self._lock:
            self._waiting.append((seq, asker))
            if self._threads == ANSWER_THREADS:
                return
            self._threads += 1
        # A daemon: what hangs in a user's function must not keep a kernel from ending.
        thread = threading.Thread(target=self._work, name="webhooklab-answers", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no more; what waits may be called by the others
            with self._lock:
                self._threads -= 1
            raise

    def _work(self) -> None:
        while (found := self._next()) is not None:
            self._call(*found)

    def _next(self) -> tuple[int, Asker] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None

    def _call(self, seq: int, asker: Asker) -> None:
        if asker.over:
            return
        try:
            delivery = self._find(seq)
            # None: it has been deleted in the meantime.
            made = Made(OK if delivery is None else answer_from(self._result(delivery)))
        except BaseException as error:
            # What was raised may quote the delivery, which is not for the log.
            problem = f"the function given to lab.respond raised {type(error).__name__}"
            made = Made(_FAILED, f"{problem} for delivery {seq}")
            with contextlib.suppress(Exception):
                traceback.print_exc()
        asker.made(made)

    def _result(self, delivery: Delivery) -> Any:
        result = self._function(delivery)
        return asyncio.run(_within(result, self.seconds)) if inspect.isawaitable(result) else result


async def _within(awaitable: Awaitable[Result], seconds: float) -> Result:
    """The sender has had its answer by then, and the thread is for others."""
    return await asyncio.wait_for(awaitable, seconds)
