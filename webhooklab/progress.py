"""Progress bars for work that a person waits for. The door to tqdm."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Final

from tqdm.auto import tqdm

from webhooklab.defaults import PROGRESS_AFTER_SECONDS

_hidden: Final[ContextVar[bool]] = ContextVar("hidden", default=False)


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Show no bars of what is done here: nobody looks at the cell where they would appear."""
    token = _hidden.set(True)
    try:
        yield
    finally:
        _hidden.reset(token)


@contextlib.contextmanager
def bar(
    total: int, what: str, *, delay: float = PROGRESS_AFTER_SECONDS
) -> Iterator[Callable[[int], object]]:
    """Yield a function that is told how many more are done.

    Nothing is shown of work that takes less than `delay` seconds.
    """
    with tqdm(
        total=total, desc=what, unit="", delay=delay, leave=False, disable=_hidden.get()
    ) as shown:
        yield shown.update
