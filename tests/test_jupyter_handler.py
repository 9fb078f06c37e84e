"""The Jupyter server's route on its own server in this process: what is slow, and what leaves."""

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from tests import raw_http
from tests.waiting import until
from webhooklab.background import BackgroundLoop
from webhooklab.handover import Handover
from webhooklab.server_extension import handler
from webhooklab.server_extension.doors import Door, Doors
from webhooklab.server_extension.handler import ROUTE, Incoming

SECRET = "known"


@pytest.fixture
def url(lab, tmp_path, monkeypatch):
    """A public URL for the lab."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    behind = lab._parts.behind
    doors = Doors()
    doors.set(SECRET, Door(behind.url, behind.key, behind.max_body_bytes))
    handover = Handover()
    given = {"doors": doors, "handover": handover}
    with BackgroundLoop("server") as background:
        sockets = bind_sockets(0, "127.0.0.1")
        server = background.call(HTTPServer, Application([(ROUTE + ".*", Incoming, given)]))
        background.call(server.add_sockets, sockets)
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}{ROUTE}{SECRET}/"
        background.call(server.stop)
        background.run(server.close_all_connections())
        background.call(handover.close)


def begin(client, length, part):
    client.send(raw_http.request(target=client.path, headers=(f"Content-Length: {length}",)) + part)


def test_a_slow_body_is_408_and_its_connection_ends(url, lab, monkeypatch):
    monkeypatch.setattr(handler, "BODY_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(handler, "REFUSED_SILENCE_SECONDS", 0.1)
    with raw_http.Client(url) as client:
        begin(client, 10, b"abc")
        assert client.answer().status == 408
        assert client.rest() == b""
    assert Incoming._in_flight_bytes == 0
    assert raw_http.post(url).status == 200
    assert len(lab) == 1


def test_a_refused_body_may_go_on_for_a_while_so_that_the_answer_is_seen(url, lab):
    with raw_http.Client(url[: -len(SECRET) - 1] + "unknown/") as client:
        begin(client, 3_000_000, b"")
        client.send(b"x" * 3_000_000)  # a server that closed at once would reset this
        assert client.answer().status == 404
    assert len(lab) == 0


def test_what_follows_a_refusal_is_not_captured(url, lab, monkeypatch):
    monkeypatch.setattr(handler, "MAX_HEADER_COUNT", 3)
    with raw_http.Client(url) as client:
        many = tuple(f"X-{number}: 1" for number in range(4))
        refused = raw_http.request(target=client.path, headers=many, body=b"x")
        client.send(refused + raw_http.request(target=client.path))
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (431, "close")
        assert client.rest() == b""
    assert raw_http.post(url).status == 200
    assert len(lab) == 1


def test_a_refused_body_without_end_is_cut_off(url, monkeypatch):
    monkeypatch.setattr(handler, "REFUSED_SILENCE_SECONDS", 0.1)
    with raw_http.Client(url[: -len(SECRET) - 1] + "unknown/") as client:
        begin(client, 2**40, b"x" * 1_000)
        assert client.answer().status == 404
        assert client.rest() == b""


def test_a_sender_that_leaves_holds_nothing(url, lab):
    with raw_http.Client(url) as client:
        begin(client, 1_000_000, b"x" * 500_000)
        until(lambda: Incoming._in_flight_bytes == 500_000)
    until(lambda: Incoming._in_flight_bytes == 0)
    assert len(lab) == 0


def test_bodies_in_flight_are_bounded_all_together(url, monkeypatch):
    monkeypatch.setattr(handler, "MAX_BODIES_IN_FLIGHT_BYTES", 1_000)
    with raw_http.Client(url) as first, raw_http.Client(url) as second:
        begin(first, 900, b"x" * 800)
        until(lambda: Incoming._in_flight_bytes == 800)
        begin(second, 500, b"")
        answer = second.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert first.ask(b"x" * 100).status == 200


def test_a_lab_that_answers_late_is_waited_for_and_its_answer_given_back(url, lab):
    lab.respond(202, body="late", delay=0.3)
    answer = raw_http.post(url)
    assert (answer.status, answer.body) == (202, b"late")
    lab.respond(204)
    assert raw_http.post(url).status == 204
