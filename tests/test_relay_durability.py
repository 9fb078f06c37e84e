"""A reader that was away: what a relay has accepted is there, in order."""

from tests.raw_http import Client, request
from tests.relay_parts import Reader, below, running, send
from webhooklab.relay.server.database import opened

OPTIONS = ("--rate-burst", "1000000", "--queue-rows", "1000000")


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
