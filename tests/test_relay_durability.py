"""A reader that was away, a link that is slow: what a relay has accepted is there, in order."""

from tests.crashes.arrived import CaptureFile
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Judge
from tests.cutting import CuttingProxy
from tests.raw_http import Client, request
from tests.relay_parts import Reader, below, running, send
from tests.waiting import until
from webhooklab import Lab
from webhooklab.relay.server.database import opened

OPTIONS = ("--rate-burst", "1000000", "--queue-rows", "1000000")
LINK_PAUSE_SECONDS = 0.01


def test_a_reader_that_was_away_gets_all_in_order(tmp_path):
    count = 600
    with running(tmp_path, *OPTIONS) as relay:
        channel = relay.new()
        with Client(relay.url) as client:
            for number in range(count):
                data = request(target=f"/{below(channel)}", body=b"%d" % number)
                assert client.ask(data).status == 202
        relay.kill()
        relay.start()
        with Reader(relay.url, channel) as reader:
            assert reader.ready.head == count
            assert [int(reader.delivery().body) for _ in range(count)] == list(range(count))


def test_what_was_sent_and_not_acknowledged_comes_again(tmp_path):
    with running(tmp_path, *OPTIONS) as relay:
        channel = relay.new()
        for _ in range(3):
            send(relay, channel)
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery(ack=False).sequence for _ in range(3)] == [1, 2, 3]
            relay.kill()
        relay.start()
        with Reader(relay.url, channel) as reader:
            assert [reader.delivery(ack=False).sequence for _ in range(3)] == [1, 2, 3]


def test_commits_are_synchronised_with_the_disk(tmp_path):
    connection = opened(tmp_path / "relay.db")
    try:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
    finally:
        connection.close()


def test_a_slow_link_and_a_lab_that_was_away_for_long_lose_nothing(file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ledger = Ledger()
    with running(tmp_path, *OPTIONS) as relay, CuttingProxy(relay.port) as link:
        link.pause = LINK_PAUSE_SECONDS
        with Lab(file) as lab:
            public = lab.expose(link.url).url.replace(link.url, relay.url.rstrip("/"))
        with Senders(public, ledger, "slow"):
            until(lambda: len(ledger.acknowledged) >= 200)
        with Lab(file) as lab:
            exposure = lab.expose(link.url)
            judge = Judge(ledger, CaptureFile(file))
            judge.look()
            assert not judge.findings
            until(lambda: "connected" in exposure.state and "behind" not in exposure.state)
