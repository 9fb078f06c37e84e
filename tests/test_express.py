"""The short way of common requests: whatever takes it ends as it would on Tornado's."""

import contextlib
import socket
import struct
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile_requests import each_file, not_http, smuggling
from tests.inputs import needs_corpora
from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab
from webhooklab.ingress import Ingress
from webhooklab.records import Answer
from webhooklab.wire.express import Express
from webhooklab.wire.rawstream import READ_AHEAD_BYTES
from webhooklab.wire.thorough import Thorough

UNCOMMON = request(target="/uncommon", headers=("Connection: keep-alive",))
"""After it, all requests of its connection are Tornado's."""
KEPT = [
    *("method", "path", "query_string", "headers_json", "body", "body_bytes", "content_type"),
    *("remote", "source", "status", "verified", "provider", "event_type", "event_id"),
]
HEADERS = st.sampled_from(
    [
        *("X-A: 1", "x-a: 2", "X-Empty:", "Content-Type: application/json", "Host: other", "Te: x"),
        *("Content-Length: 2", "content-length: 3", "Content-Length: 0", "Content-Length:"),
        *("Content-Length: +1", "Content-Length: 99999999999", "Transfer-Encoding: chunked"),
        *(
            "Connection: close",
            "Expect: 100-continue",
            "X-B : 1",
            " folded",
            "X-C: \x01",
            "caf\xe9",
        ),
        *("Webhooklab-Envelope: x", "X-D: caf\xe9", "Origin: http://page", "Upgrade: h2c"),
    ]
)
LINES = st.sampled_from(
    [
        *(
            "POST / HTTP/1.1",
            "GET /a?b HTTP/1.1",
            "HEAD / HTTP/1.1",
            "POST / HTTP/1.0",
            "PUT * HTTP/1.1",
        ),
        *(
            "POST / HTTP/1.2",
            "POST / HTTP/2.0",
            "POST  / HTTP/1.1",
            "POST /a b HTTP/1.1",
            "P\xd6ST / HTTP/1.1",
        ),
        *("CONNECT a:1 HTTP/1.1", "GET http://a/b?c HTTP/1.1", "GET /\xe9 HTTP/1.1", "POST /", ""),
    ]
)
REQUESTS = st.builds(
    lambda line, headers, end, body: end.join((line, "Host: t", *headers, "", "")) + body,
    LINES,
    st.lists(HEADERS, max_size=4),
    st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]),
    st.sampled_from(["", "{}", "xyz", "{}GET / HTTP/1.1\r\nHost: t\r\n\r\n", "0\r\n\r\n"]),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("ways") / "captures.db") as opened:
        yield opened


def ways(lab):
    """By which way each connection goes that is open now."""
    return [type(each._way) for each in lab._parts.server._listener._connections]


def most_received(lab):
    """How many bytes the short way holds of a connection, at most."""
    connections = list(lab._parts.server._listener._connections)
    return max((len(each._way._received) for each in connections), default=0)


def outcome(lab, raw, before=b""):
    """What the sender gets, and what is kept and noted of it, on a connection of its own."""
    stored, noted = len(lab), len(lab.log)
    with Client(lab.url) as client:
        if before:
            client.ask(before)
        with contextlib.suppress(OSError):  # it was refused before it was complete
            client.send(raw).finish_sending()
        answers = client.rest()
    until(lambda: not lab._parts.server._listener._connections)
    lab._parts.store.append([])  # what is noted is there
    rows = lab.events.iloc[stored + bool(before) :]
    return (
        answers,
        rows[KEPT].to_dict("records"),
        lab.log[["status", "reason"]].iloc[noted:].to_dict("records"),
    )


def both_ways_end_alike(lab, raw):
    assert repr(outcome(lab, raw)) == repr(outcome(lab, raw, UNCOMMON))


def test_common_requests_take_the_short_way(lab):
    with Client(lab.url) as client:
        for sent in (request(), request("GET", "/a?b"), request(body=b"x" * 60_000)):
            assert client.ask(sent).status == 200
        assert ways(lab) == [Express]
        client.ask(UNCOMMON)
        assert ways(lab) == [Thorough]
        assert client.ask(request(target="/after")).status == 200
        assert ways(lab) == [Thorough]
    assert list(lab.events.path) == ["/", "/a", "/", "/uncommon", "/after"]


@pytest.mark.parametrize(
    "uncommon",
    [
        *(
            "Expect: 100-continue",
            "Connection: close",
            "X-Twice: 1\r\nX-Twice: 2",
            "X-Fold: a\r\n b",
        ),
        *("Content-Length: 65536", "Webhooklab-Envelope: x", "Transfer-Encoding: chunked"),
    ],
)
def test_uncommon_requests_are_tornados_at_once(lab, uncommon):
    with Client(lab.url) as client:
        client.send(request(headers=(uncommon,)))
        until(lambda: ways(lab) != [Express])
        assert ways(lab) in ([Thorough], [])


def test_a_request_that_comes_in_two_parts_takes_it_too(lab):
    whole = request(body=b"in two")
    with Client(lab.url) as client:
        for cut in (1, 20, len(whole) - 3):
            client.send(whole[:cut])
            until(lambda: most_received(lab))
            assert client.ask(whole[cut:]).status == 200
    assert [each.body for each in lab] == [b"in two"] * 3


def test_what_stays_incomplete_is_tornados(lab):
    with Client(lab.url) as client:
        client.send(request(headers=("Content-Length: 5",)) + b"h")
        until(lambda: ways(lab) == [Thorough])
        assert client.ask(b"ello").status == 200
    assert lab[-1].body == b"hello"


def test_answers_are_the_same_both_ways(lab):
    lab.respond(202, body="Größe", headers={"X-A": "1"}, path="/said")
    lab.respond(204, path="/none")
    lab.respond(lambda delivery: {"seq": delivery.seq > 0}, path="/function")
    for path in ("/said", "/none", "/function"):
        sent = request(target=path, body=b"{}")
        both_ways_end_alike(lab, sent * 3)


def test_an_answer_that_http_cannot_carry_closes_the_connection(lab, monkeypatch):
    broken = Answer(headers=(("X-A", "1\r\nX-B: 2"),))
    monkeypatch.setattr(Ingress, "_usual_answer", lambda *_: broken)
    with Client(lab.url) as client:
        assert client.send(request()).rest() == b""
    assert len(lab) == 1


def test_what_comes_before_its_turn_waits_in_the_socket(lab):
    go_on = threading.Event()
    lab.respond(lambda _: go_on.wait(30) and None)
    with Client(lab.url) as client:
        client.send(request())
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            client.socket.sendall(bytes(32 * 2**20))  # more than the system holds for a connection
        assert 0 < most_received(lab) <= 2 * READ_AHEAD_BYTES
        go_on.set()


def test_a_crowd_of_small_requests_in_one_piece_is_bounded_too(lab):
    count = 4 * READ_AHEAD_BYTES // len(request())
    sizes = []
    lab.on_delivery(lambda _: sizes.append(most_received(lab)))
    with Client(lab.url) as client:
        sender = threading.Thread(target=client.send, args=(request() * count,))
        sender.start()
        assert {client.answer().status for _ in range(count)} == {200}
        sender.join()
    assert len(lab) == count
    assert max(sizes) <= 2 * READ_AHEAD_BYTES


def test_a_sender_that_reads_late_gets_every_answer_whole(file):
    """What it does not take at once is Tornado's to send, before all that follows."""
    count, origin = 3_000, "http://" + "x" * 8_000
    asked = request(headers=(f"Origin: {origin}",))
    with Lab(file, allow_origins="*") as lab, Client(lab.url) as client:
        sender = threading.Thread(target=client.send, args=(asked * count,))
        sender.start()
        until(lambda: ways(lab) == [Thorough])
        answers = [client.answer() for _ in range(count)]
        sender.join()
        assert len(lab) == count
    assert {each.status for each in answers} == {200}
    assert {each.headers["access-control-allow-origin"] for each in answers} == {origin}


def test_a_sender_that_leaves_before_its_answer_is_captured(lab):
    go_on = threading.Event()
    lab.respond(lambda _: go_on.wait(30) and None)
    with Client(lab.url) as client:
        client.send(request(body=b"left"))
        until(lambda: len(lab))
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    go_on.set()  # its connection has been reset
    until(lambda: not lab._parts.server._listener._connections)
    assert lab[-1].body == b"left"
    assert post(lab.url).status == 200


def test_below_a_secret_segment(file):
    with Lab(file, host="0.0.0.0") as lab:
        url = lab.url.replace("0.0.0.0", "127.0.0.1")
        assert post(url, path="a?b").status == 200
        assert (lab[-1].path, lab[-1].query_string) == ("/a", "b")
        with Client(url) as client:
            assert client.ask(request(target="/elsewhere")).status == 404
    assert len(lab) == 1


@each_file
@needs_corpora
def test_hostile_requests_end_alike(shared, raw):
    both_ways_end_alike(shared, raw.read_bytes())


@pytest.mark.parametrize(
    "raw", [*smuggling("/a", "/b").values(), *not_http()], ids=lambda raw: repr(raw[:30])
)
def test_what_is_refused_is_refused_alike(shared, raw):
    both_ways_end_alike(shared, raw)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(REQUESTS)
def test_whatever_is_sent_ends_alike(shared, text):
    both_ways_end_alike(shared, text.encode("latin-1"))
