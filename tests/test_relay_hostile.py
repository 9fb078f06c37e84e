"""What is sent to a relay by those who wish it ill: no crash, no hang, nothing let out."""

import socket
import time

import pytest

from tests.conftest import CORPORA
from tests.raw_http import Client, request
from tests.relay_parts import Reader, ask, below, running, send

FILES = sorted(CORPORA.glob("hostile/http-*/**/*.http")) or [CORPORA]
TOKEN_LENGTH = 43


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    with running(tmp_path_factory.mktemp("relay"), "--rate-burst", "100000") as process:
        yield process
        assert process.stop() == "", "what is hostile does not fill the log"


@pytest.fixture(scope="module")
def channel(relay):
    return relay.new()


@pytest.mark.parametrize("raw", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
@pytest.mark.usefixtures("corpora")
def test_hostile_requests(relay, channel, raw):
    """The same bytes as they are, and with the target of a channel in their first line."""
    hostile = raw.read_bytes()
    method, _, rest = hostile.partition(b" ")
    aimed = method + b" /" + below(channel).encode() + b" " + rest.partition(b" ")[2]
    before = relay.status()["queued"]
    accepted = 0
    for data in (hostile, aimed):
        with Client(relay.url) as client:
            answers = client.send(data).finish_sending().rest()
        allowed = {b"100", b"101", b"200", b"202", b"400", b"403", b"404", b"405", b"426"}
        assert set(statuses(answers)) <= allowed, answers
        accepted += answers.count(b"HTTP/1.1 202 ")
    assert relay.status()["queued"] >= before + accepted, "accepted is kept"
    assert send(relay, channel, body=b"next").status == 202


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A" * 70_000,
        b"GET /h/" + b"a" * 70_000,
        request("POST", "/new", body=b"x" * 10_000),
        request(target="/h/", headers=("Content-Length: 1", "Transfer-Encoding: chunked")),
        request(target="/h/", headers=("Content-Length: 1", "Content-Length: 2")),
        request(target="/h/", headers=("Transfer-Encoding: gzip, chunked",)),
        request(target="/h/", headers=("X-Fold: a", " b")),
        request(target="/h/", headers=("X-Nul: \x00",)),
        request(target="/h/", headers=(f"Content-Length: {'9' * 5000}",)),
        request("GET", "/listen/" + "c" * 22, headers=("Upgrade: websocket",)),
    ],
    ids=lambda hostile: repr(hostile[:40]),
)
def test_what_is_not_http(relay, channel, hostile):
    with Client(relay.url) as client:
        answers = client.send(hostile).finish_sending().rest()
    assert set(statuses(answers)) <= {b"400", b"404", b"413"}, answers
    assert send(relay, channel).status == 202


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


def statuses(answers):
    return [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
