"""The relay as senders and readers meet it: real processes, sockets and files."""

import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.command import environment
from tests.raw_http import Client, request
from tests.relay_parts import Reader, RelayProcess, ask, below, running, send
from tests.waiting import until
from webhooklab.relay.protocol import Ack, Closing, Gap, Hello


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    folder = tmp_path_factory.mktemp("relay")
    with running(folder, "--channels-per-address", "1000", "--new-burst", "1000") as process:
        yield process


@pytest.fixture
def channel(relay):
    made = relay.new()
    yield made
    ask(
        relay.url,
        "DELETE",
        f"listen/{made.channel}",
        headers=(f"Authorization: Bearer {made.key}",),
    )


def give_up(relay, channel):
    headers = (f"Authorization: Bearer {channel.key}",)
    return ask(relay.url, "DELETE", f"listen/{channel.channel}", headers=headers).status


# What a sender sends arrives as it was


def test_a_delivery_arrives_exactly_as_it_was_sent(relay, channel):
    body = bytes(range(256)) * 4
    headers = ("X-Two: 1", "x-two:  2 ", "X-Empty:", "X-Raw: \xe4\xff", "Cookie: a=b")
    assert send(relay, channel, "a%2Fb//c?d=%20&d=2", headers=headers, body=body).status == 202
    with Reader(relay.url, channel) as reader:
        got = reader.delivery()
    assert got.method == "POST"
    assert got.target == "/a%2Fb//c?d=%20&d=2"
    assert got.url == channel.url + "a%2Fb//c?d=%20&d=2"
    assert got.headers == (
        ("Host", "test"),
        ("X-Two", "1"),
        ("x-two", "2"),
        ("X-Empty", ""),
        ("X-Raw", "\xe4\xff"),
        ("Cookie", "a=b"),
        ("Content-Length", "1024"),
    )
    assert got.body == body
    assert got.remote == "127.0.0.1"
    assert not got.waiting
    assert got.received_at > 1_700_000_000_000_000


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_every_method_is_a_delivery(relay, channel, method):
    assert send(relay, channel, method=method).status == 202
    with Reader(relay.url, channel) as reader:
        assert reader.delivery().method == method


@pytest.mark.parametrize(
    ("rest", "target"), [("", "/"), ("?a=b", "/?a=b"), ("/", "/"), ("//", "//")]
)
def test_the_url_without_its_last_slash_is_the_url_too(relay, channel, rest, target):
    path = below(channel).rstrip("/") + rest
    assert ask(relay.url, "POST", path).status == 202
    with Reader(relay.url, channel) as reader:
        got = reader.delivery()
    assert got.target == target
    assert got.url == channel.url.rstrip("/") + rest


def test_a_target_in_its_absolute_form_is_understood(relay, channel):
    with Client(relay.url) as client:
        assert client.ask(request(target=f"{channel.url}x")).status == 202
    with Reader(relay.url, channel) as reader:
        assert reader.delivery().target == "/x"


def test_chunks_are_one_body(relay, channel):
    chunked = b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    with Client(relay.url) as client:
        head = request(target=f"/{below(channel)}", headers=("Transfer-Encoding: chunked",))
        assert client.send(head + chunked).answer().status == 202
        assert client.ask(request(target=f"/{below(channel)}", body=b"next")).status == 202
    with Reader(relay.url, channel) as reader:
        assert [reader.delivery().body, reader.delivery().body] == [b"abcde", b"next"]


# Answers


def answered(relay, channel, reader, *args, method="POST", **kwargs):
    """What a sender gets when the reader answers so."""
    with ThreadPoolExecutor(1) as pool:
        got = pool.submit(send, relay, channel, method=method)
        delivery = reader.delivery()
        assert delivery.waiting
        reader.answer(delivery.sequence, *args, **kwargs)
        return got.result()


def test_a_connected_lab_answers_its_senders(relay, channel):
    with Reader(relay.url, channel) as reader:
        got = answered(relay, channel, reader, 201, (("Content-Type", "a/b"),), b"challenge")
        assert (got.status, got.body, got.headers["content-type"]) == (201, b"challenge", "a/b")
        assert answered(relay, channel, reader, 204, (), b"no body").body == b""
        assert answered(relay, channel, reader, 200, (), b"ignored", method="HEAD").status == 200


def test_an_answer_has_no_power_over_the_relays_origin(relay, channel):
    given = (
        *(("Set-Cookie", "a=b"), ("Location", "https://evil.test"), ("WWW-Authenticate", "Basic")),
        *(("Content-Length", "99"), ("Transfer-Encoding", "chunked"), ("Connection", "close")),
        *(("Content-Security-Policy", "default-src *"), ("X-Hook-Secret", "kept")),
    )
    with Reader(relay.url, channel) as reader:
        got = answered(relay, channel, reader, 302, given, b"<script>")
    assert got.status == 302
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["x-hook-secret"] == "kept"
    assert got.headers["content-length"] == "8"
    taken = {"set-cookie", "location", "www-authenticate", "transfer-encoding", "connection"}
    assert not taken & set(got.headers)


def test_a_lab_that_is_slow_to_answer_costs_its_sender_two_seconds(relay, channel):
    with Reader(relay.url, channel) as reader:
        assert send(relay, channel).status == 202
        late = reader.delivery()
        reader.answer(late.sequence, 500)  # too late, and no harm
        reader.answer(999, 500)  # nobody waits for that one
        assert answered(relay, channel, reader, 200).status == 200


def test_who_waits_is_let_go_when_the_lab_leaves(relay, channel):
    with ThreadPoolExecutor(1) as pool, Reader(relay.url, channel) as reader:
        got = pool.submit(send, relay, channel)
        reader.delivery()
        reader.link.socket.shutdown(socket.SHUT_RDWR)
        assert got.result().status == 202


# Links that break, and come back


def test_a_reader_goes_on_where_it_stopped(relay, channel):
    for number in range(5):
        send(relay, channel, body=b"%d" % number)
    with Reader(relay.url, channel) as reader:
        assert reader.ready.head == 5
        seen = [reader.delivery(ack=False) for _ in range(5)]
        reader.say(Ack(2))
    with Reader(relay.url, channel, after=2) as reader:
        assert [reader.delivery().body for _ in range(3)] == [b"2", b"3", b"4"]
    assert [each.sequence for each in seen] == [1, 2, 3, 4, 5]


def test_what_is_acknowledged_no_longer_waits(relay, channel):
    before = relay.status()["queued"]
    send(relay, channel, body=b"1")
    send(relay, channel, body=b"2")
    with Reader(relay.url, channel) as reader:
        reader.delivery(ack=False)
        reader.say(Ack(reader.delivery(ack=False).sequence))
        until(lambda: relay.status()["queued"] == before)


def test_what_hello_says_is_an_acknowledgement(relay, channel):
    before = relay.status()["queued"]
    send(relay, channel)
    with Reader(relay.url, channel, after=1):
        until(lambda: relay.status()["queued"] == before)


def test_a_second_reader_takes_over_and_the_first_is_told(relay, channel):
    with Reader(relay.url, channel) as first, Reader(relay.url, channel) as second:
        assert first.closed() == Closing.TAKEN_OVER
        send_later = threading.Thread(target=send, args=(relay, channel))
        send_later.start()
        second.answer(second.delivery().sequence)
        send_later.join()


def test_a_file_that_is_older_than_its_reader_loses_nothing(relay, channel):
    """As when an old copy of it is put back: sequences that the reader has are given again."""
    send(relay, channel, body=b"1")
    send(relay, channel, body=b"2")
    with Reader(relay.url, channel, after=40) as reader:
        assert reader.ready.head == 42
        got = [reader.delivery(), reader.delivery()]
    assert [(each.sequence, each.body) for each in got] == [(41, b"1"), (42, b"2")]


def test_a_relay_that_is_ended_says_so_and_goes_on_later(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        with Reader(relay.url, channel) as reader:
            log = relay.stop()
            assert reader.closed() == Closing.GOING_AWAY
        relay.start()
        assert send(relay, channel, body=b"kept").status == 202
        with Reader(relay.url, channel) as reader:
            assert reader.delivery().body == b"kept"
        log += relay.stop()
    assert log == ""


# Hostile readers


def test_a_wrong_key_and_an_unknown_channel_look_the_same(relay, channel):
    seen = []
    for name, key in [(channel.channel, "k" * 43), ("c" * 22, channel.key), ("c" * 22, "k" * 43)]:
        for authorization in (f"Bearer {key}", f"Basic {key}", "Bearer", ""):
            answer = ask(
                relay.url, "DELETE", f"listen/{name}", headers=(f"Authorization: {authorization}",)
            )
            seen.append((answer.status, answer.body))
        with pytest.raises(InvalidStatus) as refused:
            Reader(relay.url, type(channel)(channel.url, name, key))
        seen.append((refused.value.response.status_code, bytes(refused.value.response.body)))
    assert set(seen) == {(404, b"there is nothing at this address")}
    # The write capability reads nothing, and the key is no capability to write.
    token = below(channel)[2:-1]
    with pytest.raises(InvalidStatus):
        Reader(relay.url, channel, key=token)
    for guess in (channel.key, channel.channel, token[:-1], token + "A", token.swapcase(), ""):
        assert ask(relay.url, "POST", f"h/{guess}/").status == 404


def test_a_web_page_of_another_origin_reads_nothing_and_makes_no_channel(relay, channel):
    with pytest.raises(InvalidStatus) as refused:
        Reader(relay.url, channel, origin="https://evil.test")
    assert refused.value.response.status_code == 403
    assert ask(relay.url, "POST", "new", headers=("Origin: https://evil.test",)).status == 403


@pytest.mark.parametrize(
    "frames",
    [
        ["nonsense"],
        [b"\x00\xff"],
        ['{"type":"ack","sequence":1}'],
        ['{"type":"hello","protocol":2,"after":0}'],
        ['{"type":"hello","protocol":1,"after":-1}'],
        ['{"type":"hello","protocol":1,"after":0}'] * 2,
        ['{"type":"hello","protocol":1,"after":0}', '{"type":"ack","sequence":1}'],
        ['{"type":"hello","protocol":1,"after":0}', '{"type":"answer","sequence":1}'],
        ['{"type":"hello","protocol":1,"after":0}', '{"type":"delivery"}'],
    ],
)
def test_who_does_not_speak_the_protocol_is_closed(relay, channel, frames):
    with Reader(relay.url, channel, hello=False) as reader:
        for frame in frames:
            reader.link.send(frame)
        assert reader.closed() == Closing.PROTOCOL
    with Reader(relay.url, channel):
        pass


def test_a_frame_that_is_too_long_ends_the_link_and_nothing_else(relay, channel):
    with Reader(relay.url, channel, hello=False) as reader:
        with suppress(ConnectionClosed, OSError):
            reader.link.send("x" * (3 * 2**20))
        assert reader.closed() in (1006, 1009)
    assert send(relay, channel).status == 202


# Channels


def test_a_channel_that_is_given_up_is_gone(relay):
    channel = relay.new()
    send(relay, channel)
    queued = relay.status()["queued"]
    with Reader(relay.url, channel) as reader:
        assert give_up(relay, channel) == 204
        assert reader.closed() == Closing.GIVEN_UP
    assert send(relay, channel).status == 404
    assert give_up(relay, channel) == 404
    assert relay.status()["queued"] == queued - 1


def test_channels_share_nothing(relay):
    channels = [relay.new() for _ in range(4)]
    for channel in channels:
        assert send(relay, channel, body=channel.channel.encode()).status == 202
    for channel in channels:
        with Reader(relay.url, channel) as reader:
            assert reader.delivery().body == channel.channel.encode()
    names = [each for channel in channels for each in (channel.url, channel.channel, channel.key)]
    assert len(set(names)) == len(names)


def test_its_page_shows_health_and_no_channel(relay, channel):
    with Reader(relay.url, channel):
        page = ask(relay.url, "GET")
        status = ask(relay.url, "GET", "status")
    assert page.status == status.status == 200
    assert set(json.loads(status.body)) == {
        *("status", "uptime_seconds", "channels", "readers", "queued", "queued_bytes"),
    }
    for secret in (channel.channel, channel.key, below(channel)[2:-1]):
        assert secret.encode() not in page.body + status.body
    for path in ("listen/", "h/", "new", "nothing", "status/x", f"listen/{channel.channel}/x"):
        assert ask(relay.url, "GET", path).status in (404, 405)


def test_its_file_opens_nothing_and_only_its_owner_reads_it(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        send(relay, channel, "path", body=b"body")
        relay.kill()
        files = list(tmp_path.glob("relay.db*"))
        everything = b"".join(file.read_bytes() for file in files)
        assert b"body" in everything
        assert channel.key.encode() not in everything
        assert below(channel)[2:-1].encode() not in everything
        for file in files:
            assert file.stat().st_mode & 0o077 == 0


def test_two_relays_do_not_share_a_file_and_a_foreign_file_is_left_alone(tmp_path):
    with running(tmp_path):
        with pytest.raises(AssertionError, match="Another relay runs"):
            RelayProcess(tmp_path)
    for content in (b"not a database" * 100, b"x"):
        (tmp_path / "relay.db").write_bytes(content)
        with pytest.raises(AssertionError, match="relay's file"):
            RelayProcess(tmp_path)
        assert (tmp_path / "relay.db").read_bytes() == content


NOT_NEEDED = (
    *("pandas", "numpy", "pyarrow", "matplotlib", "anywidget", "ipywidgets", "IPython", "ijson"),
    *("jupyterlab", "jupyter_server", "jupyter_core", "notebook", "nbformat", "nbclient"),
)


def test_it_runs_where_neither_pandas_nor_jupyter_can_be_imported(tmp_path):
    bar = f"import sys; sys.modules.update(dict.fromkeys({NOT_NEEDED}))\n"
    (tmp_path / "sitecustomize.py").write_text(bar)
    places = f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}"
    barred = environment() | {"PYTHONPATH": places}
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([sys.executable, "-c", "import pandas"], env=barred, check=True)
    with running(tmp_path, env=barred) as relay:
        channel = relay.new()
        assert ask(relay.url, "GET", "status").status == 200
        assert ask(relay.url, "GET").status == 200
        with Reader(relay.url, channel) as reader:
            assert answered(relay, channel, reader, 201).status == 201
        assert give_up(relay, channel) == 204
        assert relay.stop() == ""


def test_hello_comes_first_and_gaps_are_said(tmp_path):
    with running(tmp_path, "--kept-seconds", "0") as relay:
        channel = relay.new()
        send(relay, channel)
        send(relay, channel)
        relay.stop()
        relay.start()  # it drops what is too old when it starts
        until(lambda: relay.status()["queued"] == 0)
        with Reader(relay.url, channel, hello=False) as reader:
            reader.say(Hello(0))
            assert reader.next().head == 2
            with ThreadPoolExecutor(1) as pool:
                pool.submit(send, relay, channel)
                assert reader.next() == Gap(1, 2)
                assert reader.delivery().sequence == 3
