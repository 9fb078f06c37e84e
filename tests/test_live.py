"""The live comparison without a browser: it keeps up, rests, tells the truth, and ends."""

import json
import threading
import time
from itertools import pairwise

import httpx
import pytest

from tests.api_parts import Api, always
from tests.raw_server import raw
from tests.waiting import until
from webhooklab import clock
from webhooklab.demo import Faults, Shop
from webhooklab.errors import CaptureFileError, ClosedError, MappingError
from webhooklab.live import Refreshing, refreshing
from webhooklab.live.page import page

GRACE = 0.5


@pytest.fixture
def shop(lab):
    with Shop(seed=7, webhook_url=lab.url + "shop", entities=("order",)) as opened:
        yield opened


def polled(lab, shop):
    """A poller that polls when it is told to, after its first poll."""
    lab.map(version="data.version")
    key = {"X-Api-Key": shop.api_key}
    poller = lab.poll(shop.url + "orders", every=3600, version="version", headers=key)
    poller.poll_now()
    return poller


def counts(live):
    return {name: int(count.replace(",", "")) for name, count, _ in live.said["verdicts"]}


def live_threads():
    return [each for each in threading.enumerate() if each.name == "webhooklab-live"]


# It keeps up


def test_it_keeps_up_while_both_sides_go_on(lab, shop):
    poller = polled(lab, shop)
    live = lab.compare(live=True)
    assert "No webhook has come yet" in live.said["verdict"]
    for _ in range(3):
        shop.advance(1)
        shop.drain()
        poller.poll_now()
    until(lambda: counts(live)["both"] == 3)
    assert live.said["verdict"] == lab.compare().verdict
    assert live.said["sides"][2][1:] == ["5 polls, 0 failed", "3 deliveries, 0 retried"]
    until(lambda: live.beat)


def test_a_webhook_is_called_missed_when_its_time_is_over_though_nothing_comes(lab, shop):
    poller = polled(lab, shop)
    shop.advance(1)
    shop.drain()
    poller.poll_now()
    shop.faults = Faults(lost=1.0)
    shop.advance(1)
    poller.poll_now()
    live = lab.compare(live=True, grace=GRACE)
    assert counts(live) | {"both": 1, "pending": 1} == counts(live)
    until(lambda: counts(live)["poll_only"] == 1)
    assert "never came" in live.said["verdict"]


def test_it_says_what_pollers_do_and_what_went_wrong(lab):
    with Api(always(raw(403, b"no"))) as api:
        lab.poll(api.url + "x?key=s3cret", every=3600, name="mine").poll_now()
        live = lab.compare(live=True)
    (said,) = live.said["pollers"]
    assert said["name"] == "mine"
    assert "status 403" in said["last"]
    assert "next poll" in said["doing"]
    assert "403" in said["error"]
    assert "s3cret" not in json.dumps(live.said)


def test_all_that_it_says_is_text(lab, shop):
    polled(lab, shop)
    live = lab.compare(live=True)
    leaves = [value for value in live.said.values() if not isinstance(value, list)]
    assert {type(value) for value in leaves} == {str, bool}
    texts = [cell for name in ("sides", "verdicts") for row in live.said[name] for cell in row]
    texts += [text for each in live.said["pollers"] for text in each.values()]
    assert {type(text) for text in texts} == {str}


# It rests


def made(lab, times, cost=0.0):
    """A comparison that takes so much of the processor, and notes when it was made."""

    def make():
        end = time.thread_time() + cost
        while time.thread_time() < end:
            pass
        times.append(clock.monotonic())
        return lab.compare()

    return make


def test_nothing_is_compared_while_nothing_comes(lab, monkeypatch):
    monkeypatch.setattr(refreshing, "LOOK_SECONDS", 0.0)
    times, mark = [], [1]
    kept = Refreshing(made(lab, times), lambda: mark[0], grace=30)
    for _ in range(5):
        kept.refresh()
    assert (len(times), kept.fresh) == (1, True)
    mark[0] = 2
    until(lambda: kept.refresh() or len(times) == 2)
    assert kept.fresh


def test_it_compares_for_a_tenth_of_the_time_at_most(lab, monkeypatch):
    monkeypatch.setattr(refreshing, "LOOK_SECONDS", 0.0)
    times, marks = [], iter(range(10**9))
    kept = Refreshing(made(lab, times, cost=0.03), lambda: next(marks), grace=30)
    until(lambda: kept.refresh() or len(times) == 4)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= 10 * 0.03
    kept.refresh()
    assert not kept.fresh


def test_a_mark_is_made_of_deliveries_polls_and_fetches(lab, shop):
    marks = [lab._mark()]
    fetcher = lab.fetch_related(shop.url + "orders/{data.id}", headers={"X-Api-Key": shop.api_key})
    for step in (lambda: shop.advance(1), lambda: polled(lab, shop), lambda: lab.delete(1)):
        step()
        shop.drain()
        fetcher.drain()
        marks.append(lab._mark())
    assert len(set(marks)) == 4
    assert marks[1][-1][1] == 1  # the fetch
    assert lab._mark() == marks[-1]


# It tells the truth


def test_what_goes_wrong_is_shown_and_tried_again(lab, monkeypatch):
    monkeypatch.setattr(refreshing, "LOOK_SECONDS", 0.0)
    errors, marks = [], iter(range(10**9))

    def make():
        if errors:
            raise errors.pop()
        return lab.compare()

    kept = Refreshing(make, lambda: next(marks), grace=30)
    errors += [KeyError("s3cret of the user"), CaptureFileError("The disk is full.")]
    until(lambda: kept.refresh() or kept.failure)
    assert kept.failure == "The disk is full."
    until(lambda: kept.refresh() or "KeyError" in kept.failure)
    assert "s3cret" not in kept.failure
    until(lambda: kept.refresh() or kept.failure is None)
    assert kept.fresh


def test_the_first_error_is_raised_in_the_cell(lab):
    with pytest.raises(MappingError):
        lab.compare(live=True, entity_id="[")
    with pytest.raises(ValueError, match="grace"):
        lab.compare(live=True, grace=-1)
    lab.close()
    with pytest.raises(ClosedError):
        lab.compare(live=True)
    assert not live_threads()


# It ends


def test_stop_compares_for_the_last_time(lab, shop):
    poller = polled(lab, shop)
    live = lab.compare(live=True)
    shop.advance(2)
    shop.drain()
    poller.poll_now()
    live.stop()
    assert (live.running, live.said["status"]) == (False, "stopped")
    assert counts(live)["both"] == 2
    live.stop()
    assert not live_threads()
    assert "stopped" in repr(live)


def test_stopping_does_not_wait_for_a_long_comparison_and_says_so(lab):
    live = lab.compare(live=True)
    live._refreshing.seconds = 60.0
    httpx.post(lab.url, json={"id": 1})
    live.stop()
    assert not live.said["fresh"]
    assert "more had come since" in page(live.said)


def test_a_second_one_replaces_it_and_the_lab_ends_it(lab):
    first = lab.compare(live=True)
    second = lab.compare(live=True, grace=1)
    assert (first.running, second.running) == (False, True)
    assert len(live_threads()) == 1
    lab.close()
    assert not second.running
    assert not live_threads()


# Nothing from the wire is more than text


def test_the_page_is_text(lab):
    evil = "<script>alert(1)</script>"
    live = lab.compare(live=True)
    said = live.said | {
        "verdict": evil,
        "file": evil,
        "failure": evil,
        "pollers": [{"name": evil, "doing": evil, "last": evil, "error": evil}],
    }
    html = page(said)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6
    assert said["compared_at"] in html
