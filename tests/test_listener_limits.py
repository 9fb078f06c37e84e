"""Over a limit: an answer where HTTP allows one, a row in the log, the next request served."""

import threading

import pytest

from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab, defaults, ingress, listener
from webhooklab.wire import Connection, deadline, thorough

LIMIT = 1000
CHUNKED = ("Transfer-Encoding: chunked",)


@pytest.fixture
def small(file):
    with Lab(file, max_body_bytes=LIMIT) as opened:
        yield opened
        assert post(opened.url, b"next").status == 200
        assert opened[-1].body == b"next"
        assert opened._parts.server.ingress._in_flight_bytes == 0
        until(lambda: not opened._parts.server._listener._connections)


@pytest.fixture
def quick(monkeypatch):
    """Timeouts that a test can wait for."""
    for name in ("HEADER_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS", "IDLE_TIMEOUT_SECONDS"):
        monkeypatch.setattr(deadline, name, 0.1)
    monkeypatch.setattr(listener, "SWEEP_INTERVAL_SECONDS", 0.02)


def logged(lab, status, reason):
    until(lambda: len(lab.log))
    ((_, _, remote, answered, said),) = lab._parts.store.refusals()
    assert (remote, answered) == ("127.0.0.1", status)
    assert reason in said


def chunked(*chunks):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return request(headers=CHUNKED) + framed


def test_a_body_as_large_as_allowed(small):
    assert post(small.url, b"x" * LIMIT).status == 200
    with Client(small.url) as client:
        assert client.ask(chunked(b"x" * 400, b"y" * 600, b"")).status == 200
    assert list(small.events.body_bytes) == [LIMIT, LIMIT]


@pytest.mark.parametrize(
    "sent",
    [
        request(body=b"x" * (LIMIT + 1)),
        request(headers=(f"Content-Length: {2**63 - 1}",)),
        request(headers=(f"Content-Length: {2**63}",)),
        request(headers=(f"Content-Length: {2**64 + 1}",)),
        request(headers=(f"Content-Length: {10**25}",)),
        chunked(b"x" * 400, b"y" * 601),
        chunked(b"x" * (LIMIT + 1), b"") + request(target="/smuggled"),
    ],
    ids=["length", "2^63-1", "2^63", "2^64+1", "huge", "chunks", "pipelined"],
)
def test_a_body_that_is_too_large(small, sent):
    with Client(small.url) as client:
        answer = client.ask(sent)
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert client.finish_sending().rest() == b"", "it has had its last word"
    logged(small, 413, "more than 1000 bytes")
    assert len(small) == 0


def test_what_follows_a_refusal_is_not_answered(small):
    with Client(small.url) as client:
        assert client.ask(chunked(b"x" * (LIMIT + 1))).status == 413
        assert client.send(b"not a chunk\r\n").rest() == b""
    logged(small, 413, "more than 1000 bytes")


def test_a_sender_that_goes_on_sending_sees_the_answer(small):
    """A client that first sends all and then reads must not find a connection that was reset."""
    body = b"x" * 30_000_000
    assert post(small.url, body).status == 413
    with Client(small.url) as client:
        client.send(chunked(*[body[:100_000]] * 200, b""))
        assert client.answer().status == 413


def test_a_refused_sender_that_asked_first_is_not_told_to_continue(small):
    with Client(small.url) as client:
        answer = client.ask(request(headers=("Expect: 100-continue", "Content-Length: 2000")))
        assert answer.status == 413
        assert client.finish_sending().rest() == b""


def test_too_many_headers(small):
    most = tuple(f"X-{n}: {n}" for n in range(defaults.MAX_HEADER_COUNT - 1))
    assert post(small.url, b"", headers=most).status == 200
    assert post(small.url, b"", headers=(*most, "X-Last: 1")).status == 431
    logged(small, 431, "more than 256 headers")


def test_a_thousand_headers(small):
    many = tuple(f"X-{n}: {n}" for n in range(1_000))
    assert post(small.url, b"", headers=many).status == 431
    logged(small, 431, "more than 256 headers")


def test_headers_that_are_too_large(small):
    with Client(small.url) as client:
        client.send(request(headers=("X-Big: " + "x" * defaults.MAX_HEADER_BYTES,)))
        assert client.rest() == b""
    logged(small, None, "headers of more than 65536 bytes")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"POST / HTTP/1.1\r\nX-Half", "timeout while reading the headers"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", "timeout while reading the body"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_a_request_that_never_ends(small, sent, reason):
    with Client(small.url) as client:
        client.send(sent)
        assert client.rest() == b""
    logged(small, None, reason)


@pytest.mark.usefixtures("quick")
def test_a_silent_connection_is_closed_without_a_row(small):
    with Client(small.url) as fresh, Client(small.url) as used:
        used.ask(request())
        assert fresh.rest() + used.rest() == b""
    assert len(small.log) == 0


@pytest.mark.usefixtures("quick")
def test_timeouts_hold_whatever_has_happened_to_one_connection(small, monkeypatch):
    failures = iter([RuntimeError("of this test")])

    def check(connection, now):
        for failure in failures:
            raise failure
        checked(connection, now)

    checked = Connection.check
    monkeypatch.setattr(Connection, "check", check)
    with Client(small.url) as client:
        assert client.rest() == b""


@pytest.mark.usefixtures("quick")
def test_a_sender_that_reads_no_answers_is_closed(file):
    long_answer = request(headers=("Origin: " + "x" * 60_000,))  # which is in the answer
    with Lab(file, allow_origins="*") as lab, Client(lab.url) as client:
        client.socket.settimeout(0.3)
        with pytest.raises((TimeoutError, ConnectionError)):
            client.send(long_answer * 500)
        until(lambda: not lab._parts.server._listener._connections)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"POST / HTT", "the headers broke off"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", "the body broke off"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "framing is malformed"),
        (b"POST / HTTP/3\r\n\r\n", "not well-formed"),
    ],
)
def test_a_request_that_breaks_off(small, sent, reason):
    with Client(small.url) as client:
        client.send(sent).finish_sending().rest()
    logged(small, 400 if "formed" in reason else None, reason)
    assert len(small) == 0


def test_too_many_connections(small, monkeypatch):
    monkeypatch.setattr(small._parts.server._listener, "_most_connections", 2)
    with Client(small.url) as one, Client(small.url) as two:
        for busy in (one, two):
            asks = request(headers=("Expect: 100-continue", "Content-Length: 1"))
            assert busy.ask(asks).status == 100
        with Client(small.url) as three:
            assert three.answer().status == 503
        assert one.ask(b"x").status == two.ask(b"x").status == 200
    logged(small, 503, "more than 2 connections")
    until(lambda: not small._parts.server._listener._connections)


def test_too_many_bytes_in_flight(small, monkeypatch):
    monkeypatch.setattr(ingress, "MAX_BODIES_IN_FLIGHT_BYTES", 1500)
    with Client(small.url) as one:
        one.send(request(headers=("Content-Length: 1000",)) + b"x" * 900)
        until(lambda: small._parts.server.ingress._in_flight_bytes == 900)
        refused = post(small.url, b"y" * 700)
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert one.ask(b"x" * 100).status == 200
    logged(small, 503, "too many large bodies")


def test_the_connections_of_a_crowd_are_all_let_go(small):
    def crowd():
        for n in range(25):
            with Client(small.url) as client:
                client.send(request(body=b"%d" % n)[: -(n % 3) or None])

    threads = [threading.Thread(target=crowd) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: not small._parts.server._listener._connections)
    assert small._parts.server.ingress._in_flight_bytes == 0


def test_the_limits_are_those_of_the_defaults():
    assert thorough.MAX_HEADER_BYTES == defaults.MAX_HEADER_BYTES
    assert listener.affordable(10) == 10
    assert listener.affordable(10**9) < 10**9
