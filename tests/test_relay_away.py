"""A lab that is slow, or away, behind its relay: what was accepted comes later, all of it, once.

In full (WEBHOOKLAB_RELAY_ROUNDS=20, WEBHOOKLAB_AWAY=3600) as often as that, and an hour long.
"""

import os

import pytest

from tests.crashes.arrived import CaptureFile
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Judge
from tests.cutting import CuttingProxy
from tests.raw_http import Client, request
from tests.relay_parts import running
from tests.relay_traffic import LIMITS, PATIENCE_SECONDS, ROUNDS, Insistent
from tests.waiting import until
from webhooklab import Lab, read

AWAY = int(os.environ.get("WEBHOOKLAB_AWAY", "300"))
"""Deliveries that come while the lab is away: one a second for an hour are 3,600."""
pytestmark = pytest.mark.timeout(120 + 60 * ROUNDS)


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "relay"
    made.mkdir()
    return made


def caught_up(exposure):
    until(lambda: "connected" in exposure.state, PATIENCE_SECONDS)
    until(lambda: "behind" not in exposure.state, PATIENCE_SECONDS)


def test_a_slow_link_that_is_cut_loses_nothing(file, folder):
    ledger = Ledger()
    with running(folder, *LIMITS) as relay, CuttingProxy(relay.port) as link, Lab(file) as lab:
        link.pause = 0.01
        exposure = lab.expose(link.url)
        with Senders(exposure.url.replace(link.url, relay.url.rstrip("/")), ledger, "slow"):
            for _ in range(ROUNDS):
                enough = len(ledger.acknowledged) + 100
                until(lambda: len(ledger.acknowledged) >= enough, PATIENCE_SECONDS)  # noqa: B023
                link.cut()
        judge = Judge(ledger, CaptureFile(file))
        judge.look()
        assert not judge.findings
        caught_up(exposure)


def test_a_lab_that_was_away_for_an_hour_gets_all_in_order_each_time(file, folder):
    with running(folder, *LIMITS) as relay:
        with Lab(file) as lab:
            url = lab.expose(relay.url).url
        for number in range(ROUNDS):
            send_all(url, number)
            with Lab(file) as lab:
                exposure = lab.expose(relay.url)
                lab.wait(AWAY * (number + 1), after=0, timeout=PATIENCE_SECONDS)
                caught_up(exposure)
            assert relay.status()["queued"] == 0
    rows = read(file)
    assert list(rows["body"]) == [b"%d-%d" % (n, m) for n in range(ROUNDS) for m in range(AWAY)]
    assert rows["received_at"].is_monotonic_increasing
    assert set(rows["status"]) == {202}


def send_all(url, number):
    with Client(url) as client:
        for each in range(AWAY):
            data = request(target=client.path, body=b"%d-%d" % (number, each))
            assert client.ask(data).status == 202


def test_a_full_queue_refuses_and_what_is_sent_again_is_there_and_marked(file, folder):
    """By providers that try again: also when they got no answer, since the relay was killed."""
    with running(folder, "--queue-rows", "20", "--rate-burst", "1000000") as relay:
        with Lab(file) as lab:
            url = lab.expose(relay.url).url
        with Insistent(url, "first") as first, Insistent(url, "second") as second:
            for _ in range(ROUNDS):
                more(first, "refused", 1)
                with Lab(file) as lab:
                    lab.expose(relay.url)
                    more(first, "accepted", 30)
                    relay.kill()
                    relay.start()
                    more(first, "accepted", 10)
        with Lab(file) as lab:
            caught_up(lab.expose(relay.url))
            until(lambda: relay.status()["queued"] == 0)
        rows = read(file)
    check_marked(rows, first.events + second.events, first.again + second.again)


def more(sender, what, count):
    """Wait for so many more of what happens to a sender."""
    enough = getattr(sender, what) + count
    until(lambda: getattr(sender, what) >= enough, PATIENCE_SECONDS)


def check_marked(rows, accepted, again):
    """Every event is there, and whatever repeats one is said to do so."""
    once = rows[rows["duplicate_of"].isna()]
    assert once["event_id"].is_unique
    assert set(accepted) <= set(once["event_id"])
    repeated = rows[rows["duplicate_of"].notna()]
    assert 0 < len(repeated) <= again
    firsts = once["event_id"].reindex(repeated["duplicate_of"])
    assert list(firsts) == list(repeated["event_id"])
