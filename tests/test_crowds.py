"""Many connections that want to be in the way: each sender that means it is served meanwhile."""

import resource
import statistics
import threading
import time

import pytest

from tests.raw_http import Client, post, request
from tests.relay_parts import running
from tests.relay_parts import send as send_to_relay
from tests.waiting import until
from webhooklab import Lab, defaults, listener
from webhooklab.wire import deadline

TIMEOUT_SECONDS = 1.0
SLOW = (
    request(headers=("X-Slow: " + "x" * 10_000,)),
    request(headers=("Content-Length: 10000",)) + b"x" * 10_000,
    request(headers=("Transfer-Encoding: chunked",)) + b"1\r\nx\r\n" * 2_000,
)
"""Requests that are sent a byte at a time; the last two from the end of their headers on."""


@pytest.fixture(autouse=True)
def _room_for_files():
    """Both ends of a thousand connections are in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = before[1] if before[1] != resource.RLIM_INFINITY else 8_192
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, most), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Dribbler(threading.Thread):
    """Sends each connection a byte of its request, again and again, until none of them is left."""

    def __init__(self, url, count):
        super().__init__()
        self._open = {Client(url): SLOW[number % len(SLOW)] for number in range(count)}
        self.begun = time.monotonic()
        self.lasted = []

    def run(self):
        for client, hostile in self._open.items():
            client.send(hostile[: self._head(hostile)])
        at = 0
        while self._open:
            for client, hostile in list(self._open.items()):
                self._dribble(client, hostile[self._head(hostile) + at :][:1])
            at += 1
            time.sleep(0.02)

    @staticmethod
    def _head(hostile):
        return 20 if hostile is SLOW[0] else hostile.index(b"\r\n\r\n") + 4

    def _dribble(self, client, byte):
        try:
            client.send(byte)
        except OSError:
            del self._open[client]
            client.__exit__()
            self.lasted.append(time.monotonic() - self.begun)


@pytest.fixture
def quick(monkeypatch):
    """Timeouts that a test can wait for."""
    for name in ("HEADER_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS"):
        monkeypatch.setattr(deadline, name, TIMEOUT_SECONDS)
    monkeypatch.setattr(listener, "SWEEP_INTERVAL_SECONDS", 0.05)


@pytest.mark.usefixtures("quick")
def test_those_who_dribble_are_cut_at_the_timeout_and_hold_up_nobody(lab):
    slow = Dribbler(lab.url, 210)
    slow.start()
    took = []
    while slow.is_alive():
        begun = time.monotonic()
        assert post(lab.url).status == 200
        took.append(time.monotonic() - begun)
        assert begun - slow.begun < 60, "they are never cut"
    assert len(slow.lasted) == 210
    assert min(slow.lasted) >= TIMEOUT_SECONDS * 0.9
    assert len(lab) == len(took) >= 5
    assert statistics.median(took) < TIMEOUT_SECONDS
    until(lambda: len(lab.log) == 210)
    reasons = lab.log.reason.value_counts().to_dict()
    assert reasons == {
        "timeout while reading the headers": 70,
        "timeout while reading the body": 140,
    }
    until(lambda: not lab._parts.server._listener._connections)


def test_a_thousand_who_are_silent_keep_nobody_out(file):
    with Lab(file) as lab:
        held = lab._parts.server._listener
        assert held._most_connections == defaults.MAX_CONNECTIONS, "the system allows too few files"
        silent = [Client(lab.url) for _ in range(defaults.MAX_CONNECTIONS)]
        until(lambda: len(held._connections) == defaults.MAX_CONNECTIONS)
        with Client(lab.url) as sender:  # takes the place of the one that came first
            answers = [sender.ask(request(body=b"%d" % number)) for number in range(50)]
            assert {each.status for each in answers} == {200}
            assert silent[0].rest() == b""
            assert silent[-1].ask(request()).status == 200, "it had been silent for less long"
        assert (len(lab), len(lab.log)) == (51, 0)
        for each in silent:
            each.__exit__()
        until(lambda: not held._connections)


def test_those_who_are_silent_at_a_relay_keep_nobody_out(tmp_path):
    with running(tmp_path, "--connections", "20") as relay:
        channel = relay.new()
        silent = [Client(relay.url) for _ in range(40)]
        assert send_to_relay(relay, channel).status == 202
        assert relay.status()["queued"] == 1
        for each in silent:
            each.__exit__()
