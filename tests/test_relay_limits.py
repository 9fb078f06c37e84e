"""What a relay takes no more of, each limit by itself: it says so, and goes on."""

from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.raw_http import Client, request
from tests.relay_parts import Reader, ask, below, running, send
from tests.waiting import until
from webhooklab.relay import limits
from webhooklab.relay.protocol import Ack, Closing
from webhooklab.relay.server.rates import Rates, nearby


def test_a_full_queue_is_said_and_empties(tmp_path):
    with running(tmp_path, "--queue-rows", "3") as relay:
        channel, other = relay.new(), relay.new()
        got = [send(relay, channel, body=b"%d" % number) for number in range(5)]
        assert [each.status for each in got] == [202, 202, 202, 503, 503]
        assert int(got[-1].headers["retry-after"]) > 0
        assert send(relay, other).status == 202
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery().body for _ in range(3)] == [b"0", b"1", b"2"]
            until(lambda: relay.status()["queued"] == 1)
        assert send(relay, channel).status == 202


def test_a_queue_is_full_by_its_bytes_and_so_is_the_relay(tmp_path):
    options = ("--queue-bytes", "30000", "--total-bytes", "40000")
    with running(tmp_path, *options) as relay:
        channel, other = relay.new(), relay.new()
        body = bytes(9_000)
        assert [send(relay, channel, body=body).status for _ in range(4)] == [202, 202, 202, 503]
        assert [send(relay, other, body=body).status for _ in range(2)] == [202, 503]
        assert relay.status()["queued_bytes"] <= 40_000


def test_many_at_once_do_not_overfill_a_queue(tmp_path):
    with running(tmp_path, "--queue-rows", "20") as relay:
        channel = relay.new()
        with ThreadPoolExecutor(16) as pool:
            got = list(pool.map(lambda _: send(relay, channel).status, range(60)))
        assert (got.count(202), got.count(503)) == (20, 40)
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery().sequence for _ in range(20)] == list(range(1, 21))


def test_a_body_that_is_too_long_is_refused_as_soon_as_it_is_known(tmp_path):
    with running(tmp_path, "--max-body-bytes", "1000") as relay:
        channel = relay.new()
        assert send(relay, channel, body=bytes(1_000)).status == 202
        with Client(relay.url) as client:
            head = request(target=f"/{below(channel)}", headers=("Content-Length: 1001",))
            assert client.send(head).answer().status == 413
        with Client(relay.url) as client:
            head = request(target=f"/{below(channel)}", headers=("Transfer-Encoding: chunked",))
            assert client.send(head + b"400\r\n" + bytes(1024)).answer().status == 413
        many = tuple(f"X-{number}: 1" for number in range(300))
        assert send(relay, channel, headers=many).status == 431
        assert relay.status()["queued"] == 1


def test_a_sender_that_is_too_quick_is_told_when_to_come_again(tmp_path):
    with running(tmp_path, "--rate-burst", "3", "--rate-per-second", "0.01") as relay:
        channel, other = relay.new(), relay.new()
        got = [send(relay, channel) for _ in range(4)]
        assert [each.status for each in got] == [202, 202, 202, 429]
        assert 1 <= int(got[-1].headers["retry-after"]) <= 100
        assert send(relay, other).status == 202


def test_channels_are_limited_in_all_and_by_address(tmp_path):
    options = ("--channels-per-address", "2", "--channels", "3", "--trust-proxy")
    with running(tmp_path, *options) as relay:

        def status(address):
            return ask(relay.url, "POST", "new", headers=(f"X-Forwarded-For: {address}",)).status

        assert [status("192.0.2.1") for _ in range(3)] == [201, 201, 503]
        # What a client says in front of what the proxy adds counts for nothing.
        assert status("198.51.100.77, 192.0.2.1") == 503
        assert [status("2001:db8::1"), status("2001:db8::2")] == [201, 503]
    with running(tmp_path, "--new-burst", "2") as relay:
        assert [ask(relay.url, "POST", "new").status for _ in range(3)] == [201, 201, 429]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", "nonsense"),
    ],
)
def test_who_counts_as_one_address(address, shown):
    assert nearby(address) == shown


def test_connections_are_limited(tmp_path):
    with running(tmp_path, "--connections", "5") as relay:
        channel = relay.new()
        process = psutil.Process(relay.process.pid)
        until(lambda: all(each.status == psutil.CONN_LISTEN for each in process.net_connections()))
        asks = ("Expect: 100-continue", "Content-Length: 1")
        held = [Client(relay.url) for _ in range(5)]
        for each in held:
            assert each.ask(request(target=f"/{below(channel)}", headers=asks)).status == 100
        with Client(relay.url) as refused:
            assert refused.rest() == b""
        for each in held:
            each.__exit__()
        until(lambda: _accepted(relay, channel))


def _accepted(relay, channel):
    try:
        return send(relay, channel).status == 202
    except (AssertionError, OSError):
        return False


def test_a_channel_that_nobody_reads_ends(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        send(relay, channel)
        relay.stop()
    with running(tmp_path, "--channel-idle-seconds", "0") as relay:
        until(lambda: relay.status()["channels"] == 0)
        assert relay.status()["queued"] == 0
        assert send(relay, channel).status == 404


def test_a_reader_that_takes_nothing_gets_a_window_and_no_more(tmp_path):
    """And costs the relay neither memory nor the others' time."""
    options = ("--rate-burst", "100000", "--queue-rows", "100000")
    with running(tmp_path, *options) as relay:
        channel, other = relay.new(), relay.new()
        count = limits.WINDOW_ROWS + 20
        with Client(relay.url) as client:
            for number in range(count):
                target = f"/{below(channel)}"
                assert client.ask(request(target=target, body=b"%d" % number)).status == 202
        with Reader(relay.url, channel) as reader:
            seen = [reader.delivery(ack=False) for _ in range(limits.WINDOW_ROWS)]
            assert send(relay, other).status == 202
            with pytest.raises(TimeoutError):
                reader.next(timeout=0.5)
            reader.say(Ack(seen[9].sequence))
            more = [reader.delivery(ack=False) for _ in range(10)]
            assert more[-1].sequence == limits.WINDOW_ROWS + 10
            reader.say(Ack(more[-1].sequence))
            rest = [reader.delivery(ack=False) for _ in range(10)]
        bodies = [int(each.body) for each in [*seen, *more, *rest]]
        assert bodies == list(range(count))


def test_the_window_counts_bytes_too(tmp_path):
    fit = limits.WINDOW_BYTES // 2**20
    with running(tmp_path) as relay:
        channel = relay.new()
        for _ in range(fit + 2):
            assert send(relay, channel, body=bytes(2**20)).status == 202
        with Reader(relay.url, channel) as reader:
            seen = [reader.delivery(ack=False).sequence for _ in range(fit)]
            with pytest.raises(TimeoutError):
                reader.next(timeout=1.0)
            reader.say(Ack(seen[0]))
            assert reader.delivery().sequence == fit + 1


def test_a_reader_says_hello_soon_or_is_cut_off(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        with Reader(relay.url, channel, hello=False) as reader:
            assert reader.closed() != Closing.PROTOCOL
        assert relay.status()["readers"] == 0


def test_rates_let_go_of_what_is_idle():
    rates = Rates(1.0, 2)
    assert [rates.refusal("a", 0.0) for _ in range(3)] == [None, None, 1]
    rates.forget(1.0)
    assert rates._buckets
    rates.forget(2.0)
    assert not rates._buckets
    assert rates.refusal("a", 2.0) is None
