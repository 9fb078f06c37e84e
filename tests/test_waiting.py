"""wait, expect, wait_async, stream, on_delivery: nothing is missed, nothing waits for ever."""

import asyncio
import os
import signal
import threading
import time

import pytest

from tests.raw_http import post
from tests.waiting import until
from webhooklab import Lab, WebhookLabError, following
from webhooklab.errors import ClosedError, WaitTimeout


def later(function, *args):
    """Call it on another thread, once this one has begun to wait."""
    timer = threading.Timer(0.05, function, args)
    timer.start()
    return timer


def cloud_event(url, event_type):
    names = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": event_type}
    post(url, headers=tuple(f"{name}: {value}" for name, value in names.items()))


def test_wait_counts_from_now(lab):
    post(lab.url, b"before")
    later(post, lab.url, b"after")
    assert lab.wait(timeout=10).body.tolist() == [b"after"]


def test_wait_counts_from_where_it_is_told(lab):
    for n in range(3):
        post(lab.url, b"%d" % n)
    assert list(lab.wait(2, after=1).index) == [2, 3]
    assert list(lab.wait(1, after=0).index) == [1]
    assert len(lab.wait(0)) == 0


def test_wait_for_one_type(lab):
    def send():
        for event_type in ("a", "b", "a", "b"):
            cloud_event(lab.url, event_type)

    later(send)
    assert list(lab.wait(2, event_type="b", timeout=10).index) == [2, 4]


def test_a_timeout_has_what_came(lab):
    post(lab.url, b"one")
    with pytest.raises(WaitTimeout, match="1 of 2 deliveries") as caught:
        lab.wait(2, after=0, timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, WebhookLabError)
    assert caught.value.events.body.tolist() == [b"one"]
    assert lab.url in str(caught.value)
    with pytest.raises(WaitTimeout):
        lab.wait(timeout=0)


def test_waiting_does_not_spin(lab):
    before = time.process_time()
    with pytest.raises(WaitTimeout):
        lab.wait(timeout=1)
    assert time.process_time() - before < 0.5


def test_a_wait_on_a_lab_that_is_closed_ends(lab):
    post(lab.url)
    later(lab.close)
    with pytest.raises(ClosedError, match="closed"):
        lab.wait(timeout=10)
    assert len(lab.wait(after=0, timeout=10)) == 1, "what is there is there"


def test_a_wait_can_be_interrupted(lab):
    later(os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        lab.wait(timeout=10)
    assert post(lab.url).status == 200
    assert len(lab.wait(after=0)) == 1


def test_expect_misses_nothing_that_its_block_causes(lab):
    with lab.expect(2, timeout=10) as got:
        post(lab.url, b"1")
        later(post, lab.url, b"2")
        assert len(got) == 0
    assert got.events.body.tolist() == [b"1", b"2"]
    with pytest.raises(WaitTimeout), lab.expect(timeout=0.05):
        pass
    with pytest.raises(ZeroDivisionError), lab.expect(timeout=10):
        raise ZeroDivisionError


def test_waiting_does_not_block_the_notebooks_loop(lab):
    async def main():
        waiting = asyncio.create_task(lab.wait_async(timeout=10))
        ticks = 0
        while not waiting.done():
            ticks += 1
            if ticks == 5:
                later(post, lab.url, b"async")
            await asyncio.sleep(0.005)
        return ticks, waiting.result()

    ticks, events = asyncio.run(main())
    assert ticks > 5
    assert events.body.tolist() == [b"async"]
    with pytest.raises(WaitTimeout):
        asyncio.run(lab.wait_async(timeout=0.05))


def test_a_stream_gives_each_delivery_once_in_order(lab):
    async def main():
        seen = []
        async for delivery in lab.stream(after=1):
            seen.append(delivery.body)
            if len(seen) == 3:
                later(lambda: [post(lab.url, b"%d" % n) for n in range(4, 8)])
            if len(seen) == 7:
                break
        return seen

    for n in range(5):
        post(lab.url, b"%d" % (n - 1))
    assert asyncio.run(main()) == [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]


def test_a_stream_ends_when_the_lab_closes(lab):
    async def main():
        later(lab.close)
        return [delivery async for delivery in lab.stream()]

    assert asyncio.run(main()) == []


def test_a_function_gets_each_delivery_and_may_fail(lab, capfd):
    seen = []

    def react(delivery):
        seen.append(delivery.body)
        raise ValueError("my own mistake")

    post(lab.url, b"before")
    follower = lab.on_delivery(react)
    for n in range(5):
        post(lab.url, b"%d" % n)
    until(lambda: seen == [b"%d" % n for n in range(5)])
    follower.stop()
    post(lab.url, b"after")
    assert capfd.readouterr().err.count("my own mistake") >= 4
    assert seen[-1] == b"4"


def test_a_function_that_waits_is_stopped_at_once(lab, monkeypatch):
    monkeypatch.setattr(following, "FOLLOW_SLICE_SECONDS", 60)
    follower = lab.on_delivery(print)
    started = time.monotonic()
    follower.stop()
    assert time.monotonic() - started < 5
    assert not follower._thread.is_alive()


def test_a_cell_with_a_function_is_run_again(lab):
    calls = []
    for version in (1, 2):

        def react(delivery, version=version):
            calls.append((version, delivery.seq))

        lab.on_delivery(react)
    lab.on_delivery(lambda delivery: calls.append((3, delivery.seq)), name="other")
    post(lab.url)
    until(lambda: len(calls) == 2)
    assert sorted(calls) == [(2, 1), (3, 1)]


def test_a_function_that_closes_the_lab(file):
    lab = Lab(file)
    lab.on_delivery(lambda _: lab.close())
    post(lab.url)
    until(lambda: lab.closed and not lab._parts.server._background.running)


def test_a_function_survives_a_file_that_cannot_be_read_for_a_moment(lab, file, capfd):
    seen = []
    away = file.with_name("away.db")
    lab.on_delivery(lambda delivery: seen.append(delivery.seq))
    file.rename(away)
    until(lambda: open_anew(lab) or "cannot be opened" in capfd.readouterr().err)
    away.rename(file)
    post(lab.url)
    until(lambda: seen == [1])


def open_anew(lab):
    """Let go of the connections that are open, which would read the file wherever it is."""
    while lab._parts.store._idle:
        lab._parts.store._idle.pop().close()
