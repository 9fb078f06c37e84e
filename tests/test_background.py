"""The loop in a thread: what still runs when it stops is ended, and nothing is left behind."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from tests.waiting import until
from webhooklab.background import BackgroundLoop, Errands


def test_what_runs_is_cancelled_once_and_ends_before_the_loop_does():
    said = []

    async def work():
        try:
            said.append("begun")
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            said.append("ended")

    with BackgroundLoop() as background:
        asyncio.run_coroutine_threadsafe(work(), background.loop)
        until(lambda: said)
    assert said == ["begun", "ended"]


def test_a_task_that_has_not_begun_awaits_what_it_was_handed():
    """As anyio's do: a coroutine that nobody awaits is a warning somewhere else, much later."""
    made, begun = [], []

    async def inner(number):
        begun.append(number)
        await asyncio.sleep(60)

    async def outer(handed):
        await handed

    async def work():
        while True:  # whenever the loop stops, the last task has not begun
            made.append(asyncio.create_task(outer(inner(len(made)))))
            await asyncio.sleep(0)

    with BackgroundLoop() as background:
        asyncio.run_coroutine_threadsafe(work(), background.loop)
        until(lambda: made)
    assert begun == list(range(len(made)))
    assert all(task.cancelled() for task in made)


@contextmanager
def no_thread_can_start():
    """Each would want more memory for its stack than there is."""
    before = threading.stack_size(2**46)
    try:
        yield
    finally:
        threading.stack_size(before)


def test_errands_go_on_after_the_system_has_given_no_thread():
    errands, done = Errands("errands", 2), []
    for number in range(4):
        with no_thread_can_start(), pytest.raises(RuntimeError):
            errands.run(done.append, number)
    errands.run(done.append, "later")
    until(lambda: done)
    assert done == ["later"]


def test_an_errand_for_which_there_is_no_thread_is_run_by_those_that_are_there():
    errands, done, go_on = Errands("errands", 2), [], threading.Event()
    errands.run(lambda _: go_on.wait(), None)
    with no_thread_can_start():
        errands.run(done.append, "second")
    go_on.set()
    until(lambda: done)
    assert done == ["second"]
