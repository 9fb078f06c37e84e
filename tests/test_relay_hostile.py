"""What is sent to a relay by those who wish it ill: no crash, no hang, nothing let out."""

import socket
import time

import psutil
import pytest

from tests.hostile_requests import aimed, each_file, not_http, smuggling, statuses
from tests.raw_http import Client, request
from tests.relay_parts import Reader, ask, below, running, send
from tests.waiting import until

TOKEN_LENGTH = 43


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    with running(tmp_path_factory.mktemp("relay"), "--rate-burst", "100000") as process:
        yield process
        assert process.stop() == "", "what is hostile does not fill the log"


@pytest.fixture(scope="module")
def channel(relay):
    made = relay.new()
    send(relay, made)
    relay.files = psutil.Process(relay.process.pid).num_fds()
    return made


@pytest.fixture
def served(relay, channel):
    """Whatever a test has sent, the next delivery is taken, and no file is left open."""
    yield relay
    assert send(relay, channel, body=b"next").status == 202
    until(lambda: psutil.Process(relay.process.pid).num_fds() <= relay.files)


def answers_to(relay, hostile):
    """The statuses of all answers, and how many deliveries were taken."""
    before = relay.status()["queued"]
    with Client(relay.url) as client:
        answers = client.send(hostile).finish_sending().rest()
    return statuses(answers), relay.status()["queued"] - before


@each_file
@pytest.mark.usefixtures("corpora")
def test_hostile_requests(served, channel, raw):
    """The same bytes as they are, and with the target of a channel in their first line."""
    hostile = raw.read_bytes()
    for data in (hostile, aimed(hostile, f"/{below(channel)}")):
        answers, taken = answers_to(served, data)
        allowed = {b"100", b"101", b"200", b"202", b"400", b"403", b"404", b"405", b"426"}
        assert set(answers) <= allowed, answers
        assert taken >= answers.count(b"202"), "accepted is kept"


@pytest.mark.parametrize(
    "hostile",
    [
        *not_http("/h/"),
        request("POST", "/new", body=b"x" * 10_000),
        request("GET", "/listen/" + "c" * 22, headers=("Upgrade: websocket",)),
    ],
    ids=lambda hostile: repr(hostile[:40]),
)
def test_what_is_not_http(served, hostile):
    answers, taken = answers_to(served, hostile)
    assert set(answers) <= {b"400", b"404", b"413"}
    assert taken == 0


@pytest.mark.parametrize("name", smuggling("", ""))
def test_a_request_that_hides_another_is_refused(served, channel, name):
    for target in (f"/{below(channel)}", "/new"):
        hostile = smuggling(target, f"/{below(channel)}smuggled")[name]
        assert answers_to(served, hostile) == ([b"400"], 0)


@pytest.mark.parametrize("target", ["/h/", "/h/x", f"/h/{'A' * TOKEN_LENGTH}/", "/x/h/y", "/h/%00"])
def test_an_unknown_token_is_refused_before_the_body_is_sent(relay, target):
    with Client(relay.url) as client:
        head = request(target=target, headers=("Content-Length: 20000000", "Expect: 100-continue"))
        answer = client.send(head).answer()
        assert (answer.status, answer.body) == (404, b"there is nothing at this address")
        assert answer.headers["connection"] == "close"
        assert client.rest() == b""


def test_a_host_that_is_none_is_not_put_into_urls(relay, channel):
    with Client(relay.url) as client:
        data = f"POST /{below(channel)} HTTP/1.1\r\nHost: evil test/<b>?\r\n\r\n"
        status = client.send(data.encode()).answer().status
    if status == 202:  # else Tornado has refused it
        with Reader(relay.url, channel) as reader:
            while (got := reader.delivery()).headers[0][1] == "test":
                pass
        assert got.url.startswith("http://localhost/h/")


def test_proxies_are_not_believed_unless_trusted(relay, channel):
    forged = (
        *("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"),
        *("X-Forwarded-Host: evil.test", "X-Forged: yes"),
    )
    send(relay, channel, headers=forged)
    with Reader(relay.url, channel) as reader:
        while ("X-Forged", "yes") not in (got := reader.delivery()).headers:
            pass
    assert got.remote == "127.0.0.1"
    assert got.url.startswith("http://test/h/")


def test_channels_cannot_be_found_out(relay, channel):
    """Guesses near a real one, and far from it, are answered alike."""
    near, far = channel.channel[:-1] + "!", "c" * len(channel.channel)
    key = (f"Authorization: Bearer {channel.key}",)
    seen = {
        (answer.status, answer.body, tuple(sorted(set(answer.headers) - {"date"})))
        for name in (near, far, channel.channel[:-1], channel.channel)
        for headers in ((), key if name != channel.channel else ())
        for answer in [ask(relay.url, "DELETE", f"listen/{name}", headers=headers)]
    }
    assert len(seen) == 1


def test_secrets_are_in_no_log(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        send(relay, channel, "secret-path?key=secret-query")
        ask(relay.url, "GET", f"x/{below(channel)}")
        ask(relay.url, "GET", f"listen/{channel.channel}?key={channel.key}")
        ask(relay.url, "POST", f"new/{channel.key}", body=b"x" * 10_000)
        with Reader(relay.url, channel) as reader:
            reader.delivery()
            reader.link.send("secret-frame")
            reader.closed()
        log = relay.stop() + relay.process.args[-1]
    assert "secret" not in log
    assert channel.key not in log
    assert below(channel)[2:-1] not in log


def test_one_who_dribbles_holds_up_nobody(relay, channel):
    """Connections that are slow on purpose; the deadlines themselves are the listener's."""
    slow = [socket.create_connection(("127.0.0.1", relay.port)) for _ in range(50)]
    for each in slow:
        each.send(b"POST /h/")
    started = time.monotonic()
    assert send(relay, channel).status == 202
    assert time.monotonic() - started < 5
    for each in slow:
        each.close()
