"""Deliveries handed over to a listener: over kept-alive connections, each once, each proved."""

import asyncio
import contextlib
import re
import socket
import threading
from urllib.parse import urlsplit

import pytest

from tests.processes import LabProcess
from tests.waiting import until
from webhooklab import Lab, clock, envelope
from webhooklab.background import BackgroundLoop
from webhooklab.envelope import Meta
from webhooklab.exposure import Behind
from webhooklab.handover import Handover, counter, pool

KEY = envelope.new_key()


class Hands:
    """A handover on a loop of its own."""

    def __init__(self):
        self.background = BackgroundLoop("handing").start()
        self.handover = self.background.call(Handover)

    def hand(self, behind, body=b"{}", target="/x"):
        return self.background.run(self.handover.hand(behind, meta(target), body))

    def hand_many(self, behind, bodies):
        async def together():
            return await asyncio.gather(
                *(self.handover.hand(behind, meta("/x"), each) for each in bodies)
            )

        return self.background.run(together())

    def close(self):
        self.background.call(self.handover.close)
        self.background.stop()


def meta(target):
    return Meta(
        source="relay",
        method="PURGE",
        target=target,
        headers=(("X-A", "1"), ("x-a", "2")),
        remote="192.0.2.7",
        received_at=clock.now_us(),
    )


@pytest.fixture
def hands():
    with contextlib.closing(Hands()) as found:
        yield found


def connections(lab):
    return lab._parts.server._listener._connections


class Impostor:
    """A program at some port. `reply` None: it closes; `closed` is set when it was closed."""

    def __init__(self, reply):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.behind = Behind(f"http://127.0.0.1:{self.port}/", KEY, 1_000)
        self.requests = []
        self.closed = threading.Event()
        self._reply = reply
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            with taken:
                taken.settimeout(10)
                while request := _received(taken):
                    self.requests.append(request)
                    if (reply := self._reply(request)) is None:
                        break
                    taken.sendall(reply)
                else:
                    self.closed.set()

    def close(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _received(taken):
    with contextlib.suppress(ConnectionResetError):
        return taken.recv(65_536)
    return b""


def proof(request, committed=None):
    nonce = envelope.opened(KEY, re.search(rb"Webhooklab-Envelope: (\S+)", request)[1].decode())
    return f"Webhooklab-Proof: {envelope.proof(KEY, nonce, committed)}\r\n".encode()


def test_what_is_handed_over_is_captured_as_it_came_on_one_connection(lab, hands):
    answers = [hands.hand(lab._parts.behind, b"body %d" % n, "/a%2Fb?x") for n in range(5)]
    assert [each.committed for each in answers] == [1, 2, 3, 4, 5] == [row.seq for row in lab]
    row = lab[-1]
    assert (row.method, row.path, row.query_string, row.body) == ("PURGE", "/a%2Fb", "x", b"body 4")
    assert (row.source, row.remote) == ("relay", "192.0.2.7")
    assert row.headers.pairs == (("X-A", "1"), ("x-a", "2"))
    assert len(connections(lab)) == 1


def test_many_at_once_share_a_few_connections_and_each_has_its_own_answer(lab, hands):
    lab.respond(lambda delivery: {"body": delivery.text})
    bodies = [b"%d" % n for n in range(100)]
    for answers in (hands.hand_many(lab._parts.behind, bodies) for _ in range(2)):
        assert [each.body for each in answers] == [b'{"body":"%s"}' % each for each in bodies]
        assert len({each.committed for each in answers}) == 100
    assert len(connections(lab)) <= 100


def test_committed_is_told_whatever_a_rule_answers(lab, hands):
    lab.respond(500, body="no")
    answer = hands.hand(lab._parts.behind)
    assert (answer.status, answer.body, answer.committed) == (500, b"no", 1)
    lab.respond(204, delay=0.05)
    assert hands.hand(lab._parts.behind).committed == 2
    lab.respond(lambda _: 418)
    assert hands.hand(lab._parts.behind).committed == 3


def test_what_is_refused_is_not_committed(file, hands):
    with Lab(file, max_body_bytes=10) as lab:
        refused = hands.hand(lab._parts.behind, b"x" * 11)
        assert (refused.status, refused.committed) == (413, None)
        assert hands.hand(lab._parts.behind, b"x" * 10).committed == 1
        assert len(lab) == 1


def test_senders_are_not_told_what_is_for_who_hands_over(lab):
    with socket.create_connection(("127.0.0.1", urlsplit(lab.url).port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert b"proof" not in client.recv(65_536).lower()


def test_large_bodies_go_over_and_large_answers_come_back(lab, hands):
    lab.respond(200, body=b"y" * 3_000_000)
    large = bytes(range(256)) * 40_000
    assert len(hands.hand(lab._parts.behind, large).body) == 3_000_000
    assert lab[-1].body == large


def test_a_listener_that_begins_anew_at_the_same_port_loses_and_doubles_nothing(file, hands):
    """It is killed under load, and another one with another key takes its port."""
    with LabProcess(file) as first:
        first.say("b = lab._parts.behind; print(json.dumps([b.url, b.key]), flush=True)")
        old = Behind(*first.hear(), 10**6)
        before = hands.hand_many(old, [b"before %d" % n for n in range(40)])
        handing = threading.Thread(
            target=lambda: during.extend(
                hands.hand_many(old, [b"during %d" % n for n in range(400)])
            )
        )
        during = []
        handing.start()
        first.kill()
        handing.join()
    assert hands.hand(old) is None
    with Lab(file) as lab:
        assert lab.url == old.url
        assert hands.hand(old, b"for the old one") is None
        new = lab._parts.behind
        assert hands.hand(new, b"after").committed == lab[-1].seq
        kept = {row.seq: row.body for row in lab}
    assert len(set(kept.values())) == len(kept)
    for name, answers in ((b"before", before), (b"during", during)):
        for n, answer in enumerate(answers):
            assert answer is None or kept[answer.committed] == b"%s %d" % (name, n)
    assert None not in before
    assert b"for the old one" not in kept.values()


def test_a_connection_that_the_listener_closed_is_not_used(file, hands):
    with Lab(file) as lab:
        assert hands.hand(lab._parts.behind).committed == 1
    with Lab(file) as lab:
        answers = hands.hand_many(lab._parts.behind, [b"a", b"b"])
        assert {each.committed for each in answers} == {2, 3}  # they go at once


def test_what_may_have_been_sent_is_not_sent_again(hands):
    """Not on the connection that was new, and not on the one that was kept."""

    def reply(request):
        good = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + proof(request, 1) + b"\r\n"
        return good if len(other.requests) == 2 else None

    with contextlib.closing(Impostor(reply)) as other:
        answers = [hands.hand(other.behind) for _ in range(3)]
        assert [each and each.committed for each in answers] == [None, 1, None]
        assert len(other.requests) == 3


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        lambda request: (
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWebhooklab-Proof: "
            + re.search(rb"Webhooklab-Envelope: (\S+)", request)[1]
            + b"\r\n\r\n"
        ),
        lambda request: (
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
            + proof(request, 7).replace(b": 7.", b": 8.")
            + b"\r\n"
        ),
        lambda request: b"HTTP/1.1 200 OK\r\n" + proof(request) + b"\r\nwithout a length",
        lambda request: (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + proof(request) + b"\r\n0\r\n\r\n"
        ),
        lambda request: (
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n" + proof(request) + b"\r\n"
        ),
        lambda _: b"HTTP/1.1 20",
        lambda _: b"\r\n\r\n",
        lambda _: b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        lambda _: b"x" * 70_000,
    ],
)
def test_what_is_not_the_listener_is_not_believed_and_not_talked_to_again(
    hands, reply, monkeypatch
):
    monkeypatch.setattr(counter, "HANDOVER_SECONDS", 0.5)
    with contextlib.closing(Impostor(reply)) as other:
        assert hands.hand(other.behind) is None
        assert other.closed.wait(10)
        assert len(other.requests) == 1


def test_connections_that_nobody_needs_are_closed(lab, hands, monkeypatch):
    monkeypatch.setattr(pool, "HANDOVER_IDLE_SECONDS", 0.05)
    hands.hand_many(lab._parts.behind, [b"1", b"2", b"3"])
    until(lambda: not connections(lab))
    assert hands.hand(lab._parts.behind).committed == 4


def test_nobody_there_is_away(hands):
    with contextlib.closing(Impostor(lambda _: b"")) as other:
        pass
    assert hands.hand(other.behind) is None


@pytest.mark.parametrize("fields", [b"1", b"null", b"{}", b"[1,2,3,4,5,6]", b'[1,1,"/",3,1,1,1]'])
def test_an_envelope_with_other_fields_is_an_error_of_one_kind(fields):
    with pytest.raises(ValueError, match=r"fields|unpack|values"):
        envelope.unpacked(len(fields).to_bytes(4, "big") + fields)
