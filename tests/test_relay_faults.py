"""What goes wrong around a relay: a link that dies without a word, a disk that is full."""

import time

import pytest

from tests.raw_http import Client, post, request
from tests.relay_parts import Reader, ask, below, running, send
from tests.waiting import until
from webhooklab.background import BackgroundLoop
from webhooklab.relay.decoding import decode_channel
from webhooklab.relay.protocol import Closing, Hello, encode
from webhooklab.relay.server import RelayServer, Settings, reading

psutil = pytest.importorskip("psutil")


@pytest.fixture
def hasty(tmp_path, monkeypatch):
    """A relay in this process, whose patience is short."""
    for name, seconds in (("PING_SECONDS", 0.05), ("SILENCE_SECONDS", 0.5)):
        monkeypatch.setattr(reading, name, seconds)
    with BackgroundLoop() as background:
        settings = Settings(db=tmp_path / "relay.db", port=0)
        server = background.call(RelayServer, settings)
        background.call(server.start)
        yield server
        background.run(server.stop())


def test_a_link_on_which_nothing_is_heard_is_cut(hasty):
    """By hand: a library would answer the pings."""
    channel = decode_channel(ask(hasty.url, "POST", "new").body)
    headers = (
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", f"Authorization: Bearer {channel.key}"),
    )
    with Client(hasty.url) as client:
        upgrade = request("GET", f"/listen/{channel.channel}", headers)
        assert client.send(upgrade).answer().status == 101
        text = encode(Hello(0)).encode()
        client.send(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
        until(lambda: hasty._relay.health()["readers"] == 1)
        assert client.rest().count(b"\x89\x00") > 1, "pinged, and then cut"
    until(lambda: hasty._relay.health()["readers"] == 0)


def test_a_reader_that_answers_pings_stays(hasty):
    channel = decode_channel(ask(hasty.url, "POST", "new").body)
    with Reader(hasty.url, channel) as reader:
        with pytest.raises(TimeoutError):
            reader.next(timeout=1.5)
        assert hasty._relay.health()["readers"] == 1


def test_a_full_disk_is_said_and_gets_over(tmp_path):
    with running(tmp_path) as relay:
        channel = relay.new()
        assert send(relay, channel, body=b"before").status == 202
        process = psutil.Process(relay.process.pid)
        unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (1_000, unlimited[1]))
        refused = send(relay, channel, body=bytes(100_000))
        assert (refused.status, "retry-after" in refused.headers) == (503, True)
        status = ask(relay.url, "GET", "status")
        assert status.status == 503
        assert b"cannot store" in status.body
        process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
        assert send(relay, channel, body=b"after").status == 202
        assert ask(relay.url, "GET", "status").status == 200
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery().body for _ in range(2)] == [b"before", b"after"]
        log = relay.stop()
    assert "nothing can be stored" in log
    assert below(channel)[2:-1] not in log


def test_senders_do_not_wait_for_a_reader_that_does_not_keep_up(tmp_path):
    """It cannot answer them in time: two seconds each would be for nothing."""
    with running(tmp_path, "--rate-burst", "100000") as relay:
        channel = relay.new()
        with Client(relay.url) as client:
            data = request(target=f"/{below(channel)}")
            for _ in range(300):
                assert client.ask(data).status == 202
            with Reader(relay.url, channel) as reader:
                for _ in range(reader.ready.window):
                    reader.delivery(ack=False)
                started = time.monotonic()
                assert [client.ask(data).status for _ in range(8)] == [202] * 8
                assert time.monotonic() - started < 8, "eight would wait for 16 seconds"


def test_a_link_that_is_closed_while_it_sends_is_not_cut(hasty, monkeypatch):
    """It would go on to send, and find it closed; and who is cut off may not hear why."""

    async def send_and_close(self, text):
        await send_on(self, text)
        self._session.close(Closing.PROTOCOL)

    cuts = []
    send_on = reading.Reading.send
    monkeypatch.setattr(reading, "FAREWELL_SECONDS", 3600)
    monkeypatch.setattr(reading.Reading, "send", send_and_close)
    monkeypatch.setattr(reading.Reading, "abort", lambda _: cuts.append("cut"))
    channel = decode_channel(ask(hasty.url, "POST", "new").body)
    assert post(f"{hasty.url}{below(channel)}").status == 202
    with Reader(hasty.url, channel, hello=False) as reader:
        reader.say(Hello(0))
        assert reader.closed() == Closing.PROTOCOL
    until(lambda: hasty._relay.health()["readers"] == 0)
    assert cuts == []
