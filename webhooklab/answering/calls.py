"""Answers that a user's function makes, each call on a thread, not on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from webhooklab.answering.making import Asker, Made
from webhooklab.answering.response import answer_from
from webhooklab.answering.usual import OK
from webhooklab.background import Errands
from webhooklab.defaults import ANSWER_SECONDS, ANSWER_THREADS
from webhooklab.records import Answer, Delivery

Result = TypeVar("Result")

Function: TypeAlias = Callable[[Delivery], Any]
"""Gets a delivery and returns, or is awaited for, what its sender gets."""
Find: TypeAlias = Callable[[int], Delivery | None]

_FAILED = Answer(500, body=b"the function that answers has failed")


class Calls:
    """Calls a function for each delivery: so many at a time, the others wait.

    What goes wrong in the function is shown with its traceback, as is what it returns that is no
    answer.
    """

    def __init__(self, function: Function, find: Find) -> None:
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.seconds = ANSWER_SECONDS
        self._function = function
        self._find = find
        self._errands = Errands("webhooklab-answers", ANSWER_THREADS)

    def make(self, seq: int, asker: Asker) -> None:
        """Have the function called soon, with the delivery as it is stored."""
        self._errands.run(self._call, (seq, asker))

    def _call(self, asked: tuple[int, Asker]) -> None:
        seq, asker = asked
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
