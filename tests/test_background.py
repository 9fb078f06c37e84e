"""The loop in a thread: what still runs when it stops is ended, and nothing is left behind."""

import asyncio

from tests.waiting import until
from webhooklab.background import BackgroundLoop


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
