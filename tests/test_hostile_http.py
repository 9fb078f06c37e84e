"""Requests that broke other servers: no crash, no hang, and the next request is served."""

import contextlib
import time
from contextlib import ExitStack

import psutil
import pytest

from tests.hostile_requests import FILES, each_file, not_http, smuggling, statuses
from tests.raw_http import Client, post
from tests.waiting import until
from webhooklab import Lab
from webhooklab.wire import deadline

SMUGGLING = smuggling("/seen", "/smuggled")


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    """One lab for all that comes; in the end it holds no more files than after the first."""
    with Lab(tmp_path_factory.mktemp("hostile") / "captures.db") as opened:
        post(opened.url)
        assert len(opened.events) + len(opened.log) == 1
        before = psutil.Process().num_fds()
        yield opened
        until(lambda: psutil.Process().num_fds() <= before)


@pytest.fixture
def lab(listening):
    """Whatever a test has sent, the next request is served, and no connection is left."""
    yield listening
    assert post(listening.url, b"next", "next").status == 200
    assert (listening[-1].path, listening[-1].body) == ("/next", b"next")
    until(lambda: not listening._parts.server._listener._connections)
    assert listening._parts.server.ingress._in_flight_bytes == 0


def answers_to(lab, hostile):
    """The statuses of all answers, and the paths of what was captured."""
    before = lab[-1].seq
    with Client(lab.url) as client:
        answers = client.send(hostile).finish_sending().rest()
    return statuses(answers), lab.events.path.iloc[before:].tolist()


@each_file
@pytest.mark.usefixtures("corpora")
def test_hostile_requests(lab, raw):
    answers, captured = answers_to(lab, raw.read_bytes())
    assert set(answers) <= {b"100", b"200", b"400"}
    assert answers.count(b"200") == len(captured), "acknowledged is captured"


@each_file
@pytest.mark.usefixtures("corpora")
def test_hostile_requests_in_single_bytes(lab, raw):
    with Client(lab.url) as client:
        with contextlib.suppress(OSError):  # it was refused before it was complete
            for byte in raw.read_bytes():
                client.send(bytes([byte]))
            client.finish_sending()
        client.rest()


@pytest.mark.usefixtures("corpora")
def test_none_of_them_holds_its_connection_beyond_the_timeouts(lab, monkeypatch):
    """Nobody ends these, neither their sending nor the connection: the listener does."""
    for name in ("HEADER_TIMEOUT_SECONDS", "BODY_TIMEOUT_SECONDS", "IDLE_TIMEOUT_SECONDS"):
        monkeypatch.setattr(deadline, name, 0.5)
    monkeypatch.setattr(deadline, "REFUSED_SILENCE_SECONDS", 0.5)
    hostile = [file.read_bytes() for file in FILES] + not_http() + list(SMUGGLING.values())
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(lab.url)).send(each) for each in hostile]
        begun = time.monotonic()
        until(lambda: not lab._parts.server._listener._connections)
        assert time.monotonic() - begun < 10
        for client in clients:
            client.rest()


@pytest.mark.parametrize("hostile", not_http(), ids=lambda hostile: repr(hostile[:40]))
def test_what_is_not_http(lab, hostile):
    answers, captured = answers_to(lab, hostile)
    assert set(answers) <= {b"400", b"413"}
    assert captured == []


@pytest.mark.parametrize("name", SMUGGLING)
def test_a_request_that_hides_another_is_refused(lab, name):
    refused = len(lab.log)
    assert answers_to(lab, SMUGGLING[name]) == ([b"400"], [])
    until(lambda: lab.log.status.iloc[refused:].tolist() == [400])
