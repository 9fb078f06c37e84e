"""A forward whose kernel dies: every delivery arrives at least once, each with one key."""

import threading
from collections import defaultdict
from contextlib import closing

from tests.processes import LabProcess
from tests.raw_http import Client, request
from tests.raw_server import free_port
from tests.target_parts import QUICK, Target, ok
from tests.waiting import until
from webhooklab import Lab
from webhooklab.attempts import Attempts
from webhooklab.store import Store

QUEUED = 1_000
TAKEN = 200
"""So many the target takes before the kernel dies; the next ones it holds."""


def deliver(url, count):
    with Client(url) as client:
        for number in range(count):
            assert client.ask(request(target="/", body=b"%d" % number)).status == 200


def test_killed_in_the_middle_of_a_queue_nothing_is_lost_and_duplicates_show(file):
    port, killed = free_port(), threading.Event()
    url = f"http://127.0.0.1:{port}/hooks"

    def answer(_):
        if len(target.got) > TAKEN:
            killed.wait(60)
        return ok()

    with LabProcess(file) as process:
        process.say(f"forward = lab.forward({url!r})")
        process.say("print('1', flush=True)")
        process.hear()
        deliver(process.url, QUEUED)
        with Target(answer, port) as target:
            until(lambda: recorded(file) >= TAKEN, 60)
            process.kill()
            killed.set()
            before, known = len(target.got), recorded(file)
            with Lab(file) as lab:
                assert len(lab) == QUEUED
                lab.forward(url, retry=QUICK).drain(60)
                done = lab.attempts
    keys = defaultdict(set)
    for got in target.got:
        keys[got.body].add(got.key)
    assert set(keys) == {b"%d" % number for number in range(QUEUED)}
    assert all(len(each) == 1 for each in keys.values())
    assert len({key for each in keys.values() for key in each}) == QUEUED
    # What was done is known, but for what was under way.
    assert TAKEN <= known < before < QUEUED
    assert len(target.got) <= QUEUED + before - known
    assert set(done["seq"]) == set(range(1, QUEUED + 1))


def recorded(file):
    """How many deliveries the target is known to have, as another process sees the file."""
    with closing(Store(file, write=False)) as store:
        tries = Attempts(store).frame()
    return tries["seq"][tries["status"].eq(200).fillna(False)].nunique()


def test_a_process_that_listens_captures_on_and_the_next_kernel_catches_up(file):
    with Target() as target:
        with LabProcess(file, listener="process") as process:
            process.say(f"lab.forward({target.url!r}); print('1', flush=True)")
            process.hear()
            deliver(process.url, 5)
            until(lambda: len(target.got) == 5)
            process.kill()
            deliver(process.url, 5)
        with Lab(file, listener="process") as lab:
            forward = lab.forward(target.url)
            deliver(lab.url, 5)
            forward.drain()
            assert set(lab.attempts["seq"]) == set(range(1, 16))
            held = lab.forward(target.url, reply=True)
            target.answer = lambda _: b"HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n"
            with Client(lab.url) as client:
                assert client.ask(request(body=b"x")).status == 202
            held.stop()


def test_nothing_is_left_behind_after_many_lives(file):
    with Target() as target, Lab(file) as lab:
        before = threading.active_count()
        for _ in range(20):
            lab.forward(target.url).drain()
        lab.forward(target.url).stop()
        until(lambda: threading.active_count() <= before + 8)
