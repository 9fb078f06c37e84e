"""`kill -9` of the relay, cut links, a reader away: nothing accepted is lost or altered."""

import hashlib
import os
import random
import socket
import threading
import time
from contextlib import suppress

import pytest
from websockets.exceptions import WebSocketException

from tests.raw_http import Client, request
from tests.relay_parts import Reader, below, running, send
from webhooklab.relay.protocol import Ack, Delivery, Gap
from webhooklab.relay.server.database import opened

ROUNDS = int(os.environ.get("WEBHOOKLAB_RELAY_ROUNDS", "4"))
"""`kill -9` so often; 20 and more where there is time."""
SENDERS = 4
BETWEEN_KILLS_SECONDS = (0.1, 0.5)
EMPTY_SECONDS = 60.0
REST_SECONDS = 0.05
"""Before one tries again who was refused: the relay is to come up beside them."""
OPTIONS = ("--rate-burst", "1000000", "--queue-rows", "1000000")


def body_of(name: bytes) -> bytes:
    """A body that tells whether it was altered; some are large."""
    return (
        name + b" " + hashlib.sha256(name).hexdigest().encode() * random.choice((1, 1, 1, 30, 900))
    )


class Sender(threading.Thread):
    """Sends until it is told to end, through one broken connection after the other."""

    def __init__(self, relay, channel, name):
        super().__init__()
        self.relay, self.channel, self.name_ = relay, channel, name
        self.accepted: dict[bytes, bytes] = {}
        self.sent: dict[bytes, bytes] = {}
        self.ended = threading.Event()
        self._count = 0

    def run(self):
        while not self.ended.is_set():
            with suppress(OSError, AssertionError, ValueError, IndexError):
                with Client(self.relay.url) as client:
                    while not self.ended.is_set():
                        self._send(client)
            self.ended.wait(REST_SECONDS)

    def _send(self, client):
        self._count += 1
        name = b"%s-%d" % (self.name_.encode(), self._count)
        self.sent[name] = body = body_of(name)
        target = f"/{below(self.channel)}{name.decode()}?a=%2F"
        answer = client.ask(request(target=target, headers=(f"X-Name: {self.name_}",), body=body))
        if answer.status in (200, 202):
            self.accepted[name] = body


class Follower(threading.Thread):
    """A reader that keeps what it gets, acknowledges, answers some, and comes back each time."""

    def __init__(self, relay, channel):
        super().__init__()
        self.relay, self.channel = relay, channel
        self.kept: dict[int, Delivery] = {}
        self.gaps: list[Gap] = []
        self.again = 0
        self.links = 0
        self.ended = threading.Event()
        self.reader: Reader | None = None

    def run(self):
        while not self.ended.is_set():
            with suppress(OSError, WebSocketException, TimeoutError):
                with Reader(
                    self.relay.url, self.channel, after=max(self.kept, default=0)
                ) as reader:
                    self.links += 1
                    self.reader = reader
                    while not self.ended.is_set():
                        self._take(reader)
            self.ended.wait(REST_SECONDS)

    def _take(self, reader):
        with suppress(TimeoutError):
            frame = reader.next(timeout=0.2)
            if isinstance(frame, Gap):
                self.gaps.append(frame)
                return
            self.again += frame.sequence in self.kept
            self.kept.setdefault(frame.sequence, frame)
            if frame.sequence % 3 == 0:  # as one that commits in groups
                reader.say(Ack(frame.sequence))
            if frame.waiting:
                reader.answer(frame.sequence, 200)

    def cut(self):
        """As when the network goes: no farewell."""
        if self.reader is not None:
            with suppress(OSError):
                self.reader.link.socket.shutdown(socket.SHUT_RDWR)


@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_kill_nine_of_the_relay_and_cut_links(tmp_path):
    with running(tmp_path, *OPTIONS) as relay:
        channel = relay.new()
        senders = [Sender(relay, channel, f"sender{number}") for number in range(SENDERS)]
        follower = Follower(relay, channel)
        for each in (*senders, follower):
            each.start()
        try:
            for number in range(ROUNDS):
                time.sleep(random.uniform(*BETWEEN_KILLS_SECONDS))
                if number % 2:
                    follower.cut()
                relay.kill()
                relay.start()
            time.sleep(BETWEEN_KILLS_SECONDS[1])
        finally:
            for sender in senders:
                sender.ended.set()
            for sender in senders:
                sender.join()
            accepted = {name: body for sender in senders for name, body in sender.accepted.items()}
            _wait_for(follower, accepted)
            follower.ended.set()
            follower.join()
    assert len(accepted) > ROUNDS
    assert follower.links > ROUNDS // 2
    _check(follower, channel, accepted, {n: b for each in senders for n, b in each.sent.items()})


def _wait_for(follower, accepted):
    deadline = time.monotonic() + EMPTY_SECONDS
    while time.monotonic() < deadline:
        kept = {name_of(each) for each in list(follower.kept.values())}
        if accepted.keys() <= kept:
            return
        time.sleep(0.05)


def _check(follower, channel, accepted, sent):
    kept = list(follower.kept.values())
    assert not follower.gaps, "nothing was dropped"
    assert accepted.keys() <= {name_of(each) for each in kept}, "nothing accepted is lost"
    for each in kept:
        name = name_of(each)
        assert each.body == sent[name], "nothing is altered"
        assert each.target == f"/{name.decode()}?a=%2F"
        assert each.url == channel.url + each.target[1:]
        assert ("X-Name", name.partition(b"-")[0].decode()) in each.headers
    assert len({name_of(each) for each in kept}) == len(kept), "a sequence each"


def name_of(delivery):
    return delivery.target[1:].partition("?")[0].encode()


def test_a_reader_that_was_away_gets_all_in_order(tmp_path):
    count = 600
    with running(tmp_path, *OPTIONS) as relay:
        channel = relay.new()
        with Client(relay.url) as client:
            for number in range(count):
                data = request(target=f"/{below(channel)}", body=b"%d" % number)
                assert client.ask(data).status == 202
        relay.kill()
        relay.start()
        with Reader(relay.url, channel) as reader:
            assert reader.ready.head == count
            assert [int(reader.delivery().body) for _ in range(count)] == list(range(count))


def test_what_was_sent_and_not_acknowledged_comes_again(tmp_path):
    with running(tmp_path, *OPTIONS) as relay:
        channel = relay.new()
        for _ in range(3):
            send(relay, channel)
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery(ack=False).sequence for _ in range(3)] == [1, 2, 3]
            relay.kill()
        relay.start()
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery(ack=False).sequence for _ in range(3)] == [1, 2, 3]


def test_commits_are_synchronised_with_the_disk(tmp_path):
    connection = opened(tmp_path / "relay.db")
    try:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    finally:
        connection.close()
