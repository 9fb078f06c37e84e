"""What a sender got may be known only after the commit: rows change, and all who read see it."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from tests.raw_http import post
from tests.store_parts import arrival
from tests.test_inbox_feed import Browser, describe
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.headers import Headers
from webhooklab.inbox import limits
from webhooklab.inbox.feed import Feed
from webhooklab.records import Arrival, Event, Interpretation, Request
from webhooklab.store import Amendment, Refusal, Store, reading
from webhooklab.store.schema import AMENDED_SINCE, APPLICATION_ID, STEPS
from webhooklab.views import Views


@pytest.fixture
def store(file):
    opened = Store(file)
    yield opened
    opened.close()


def unanswered(body=b"{}"):
    given = arrival(body)
    return Arrival(given.request, given.interpretation, None)


def batch(count):
    request = Request(received_at=1, method="POST", target="/", headers=Headers(), body=b"[]")
    events = tuple(Event(event_id=f"{n}", body=b"{}") for n in range(count))
    return Arrival(request, Interpretation("p", count, None, events), None)


def statuses(frame):
    return [None if pd.isna(status) else status for status in frame["status"]]


def test_a_row_says_what_its_sender_got_once_that_is_known(store):
    store.append([unanswered(), unanswered()])
    store.amend(2, 503)
    assert [store.delivery(seq).status for seq in (1, 2)] == [None, 503]
    store.amend(2, 200)
    assert store.delivery(2).status == 200


def test_amendments_go_with_all_else_in_one_commit(store):
    store.append([unanswered()])
    given = [Amendment(1, 201), arrival(), Refusal(1, None, 400, "r"), Amendment(99, 200)]
    outcomes = store.append(given)
    assert [outcome and outcome.seq for outcome in outcomes] == [None, 2, None, None]
    assert store.delivery(1).status == 201
    assert len(store.refusals()) == 1


class Reads:
    """Notes how many rows were read from the file, by whom it was not expected."""

    def __init__(self, monkeypatch):
        self.rows = 0
        kept = reading.chunks

        def chunks(*args, **kwargs):
            for chunk in kept(*args, **kwargs):
                self.rows += len(chunk["seq"])
                yield chunk

        monkeypatch.setattr(reading, "chunks", chunks)


def test_kept_frames_change_without_being_read_again(store, monkeypatch):
    store.append([unanswered() for _ in range(50)])
    views = Views(store)
    assert len(views.events()) == len(views.unbatched()) == len(views.payloads()) == 50
    reads = Reads(monkeypatch)
    for seq in (3, 50, 4):
        store.amend(seq, 500 + seq)
    store.append([unanswered()])
    store.amend(51, 200)
    for frame in (views.events(), views.unbatched()):
        found = dict(zip(frame.index.get_level_values("seq"), statuses(frame), strict=True))
        known = {seq: status for seq, status in found.items() if status is not None}
        assert known == {3: 503, 4: 504, 50: 550, 51: 200}
    views.payloads()
    assert reads.rows == 3, "the new row alone, for each of the three"
    one, other = (views.events()["status"].array._data for _ in range(2))
    assert np.shares_memory(one, other), "what has been changed is not changed again"


def test_a_frame_that_was_handed_out_does_not_change(store):
    store.append([unanswered(), arrival(), unanswered()])
    views = Views(store)
    before, view = views.events(), views.events()["status"]
    mine = views.events()
    mine.loc[2, "status"] = 7
    store.amend(1, 503)
    after = views.events()
    assert statuses(before) == [None, 200, None]
    assert [None if pd.isna(each) else each for each in view] == [None, 200, None]
    assert statuses(mine) == [None, 7, None]
    assert statuses(after) == [503, 200, None]
    after.loc[3, "status"] = 8
    assert statuses(views.events()) == [503, 200, None]
    assert not np.shares_memory(before["status"].array._data, views.events()["status"].array._data)


def test_the_events_of_a_batch_share_its_status(store):
    store.append([unanswered(), batch(3), batch(0), unanswered(), batch(2)])
    views = Views(store)
    assert len(views.unbatched()) == 7
    for seq, status in ((2, 202), (3, 203), (5, 205)):
        store.amend(seq, status)
    frame = views.unbatched()
    assert frame.index.get_level_values("seq").tolist() == [1, 2, 2, 2, 4, 5, 5]
    assert statuses(frame) == [None, 202, 202, 202, None, 205, 205]
    pd.testing.assert_frame_equal(frame, Views(store).unbatched())


def test_amending_between_deleting_loses_nothing(store):
    """The numbers of amendments go down when the last amended row is deleted."""
    store.append([unanswered() for _ in range(4)])
    views = Views(store)
    store.amend(2, 202)
    store.amend(4, 204)
    assert statuses(views.events()) == [None, 202, None, 204]
    store.delete([4])
    store.amend(1, 201)
    assert statuses(views.events()) == [201, 202, None]
    store.delete([1])
    views.events()
    store.amend(3, 203)
    assert statuses(views.events()) == [202, 203]
    store.amend(1, 500)  # it is not there
    pd.testing.assert_frame_equal(views.events(), Views(store).events())


def test_other_processes_and_attached_labs_see_it(lab, file):
    store = lab._parts.store
    other = Store(file, write=False)
    views = Views(other)
    store.append([unanswered()])
    assert statuses(views.events()) == [None]
    store.amend(1, 418)
    assert statuses(views.events()) == [418]
    other.close()
    assert read(file)["status"].tolist() == [418]
    assert lab.find("status:418").index.tolist() == [1]


def test_who_waits_is_not_told_twice(lab):
    seen = []
    lab.on_delivery(lambda delivery: seen.append(delivery.seq))
    with lab.expect(2) as got:
        lab._parts.store.append([unanswered()])
        lab._parts.store.amend(1, 200)
        post(lab.url)
    assert got.events.index.tolist() == [1, 2]
    with lab.expect() as got:
        lab._parts.store.amend(2, 500)
        post(lab.url)
    assert got.events.index.tolist() == [3]
    post(lab.url)
    until(lambda: len(seen) >= 4)
    assert seen == [1, 2, 3, 4]


def file_before_amendments(file):
    """A capture file as the version before wrote it, with a row."""
    with sqlite3.connect(file) as connection:
        for step in STEPS[: AMENDED_SINCE - 1]:
            connection.executescript(step)
        connection.execute(
            "INSERT INTO deliveries (received_at, stored_at, source, method, path, query_string, "
            "event_count, verified, body_bytes) "
            "VALUES (1, 1, 'local', 'POST', '/', '', 1, 'unchecked', 0)"
        )
        connection.execute("INSERT INTO raws VALUES (1, '/', '[]', x'')")
        connection.execute(f"PRAGMA user_version={AMENDED_SINCE - 1}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.close()
    file.chmod(0o600)


def test_an_older_file_is_read_as_it_is_and_grows_when_it_is_opened(file):
    file_before_amendments(file)
    before = file.read_bytes()
    assert statuses(read(file)) == [None]
    assert file.read_bytes() == before
    with Lab(file) as lab:
        assert statuses(lab.events) == [None]
        lab._parts.store.amend(1, 200)
        assert statuses(lab.events) == [200]


def test_amendments_are_found_by_their_index(store):
    with store.reading() as connection:
        for query in ("amended > 5", "amended IS NOT NULL ORDER BY amended DESC LIMIT 1"):
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN SELECT amended FROM deliveries WHERE {query}"
            ).fetchall()
            assert "deliveries_amended" in str(plan), plan
            assert "TEMP B-TREE" not in str(plan)


# The inbox


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def feed(store, browser):
    return Feed(store, describe, browser.send)


def answers(browser):
    return [(row["seq"], row["status"]) for row in browser.rows()]


def test_amended_rows_are_sent_again_once_and_without_a_range(store, browser, feed):
    store.append([unanswered() for _ in range(5)])
    feed.hello()
    feed.drain()
    browser.forget()
    store.amend(2, 503)
    store.amend(4, 200)
    feed.step()
    feed.step()
    assert answers(browser) == [(2, 503), (4, 200)]
    assert [(each["after"], each["through"]) for each in browser.of("rows")] == [(0, 0)]
    assert browser.of("rows")[0]["total"] == 5
    assert browser.details() == {}


def test_a_row_that_goes_with_its_answer_is_not_sent_again(store, browser, feed):
    store.append([unanswered()])
    feed.step()
    browser.forget()
    store.append([unanswered()])
    store.amend(2, 202)
    feed.step()
    feed.step()
    assert answers(browser) == [(2, 202)]
    assert [(each["after"], each["through"]) for each in browser.of("rows")] == [(1, 2)]


def test_rows_that_no_browser_holds_are_not_sent(store, browser, feed, monkeypatch):
    monkeypatch.setattr(limits, "HELD_ROWS", 3)
    store.append([unanswered() for _ in range(6)])
    feed.step()
    browser.forget()
    for seq in (2, 4, 5):
        store.amend(seq, 200)
    feed.step()
    assert answers(browser) == [(4, 200), (5, 200)]


def test_a_browser_that_comes_back_gets_what_was_amended_meanwhile(
    store, browser, feed, monkeypatch
):
    store.append([unanswered() for _ in range(2)])
    feed.step()
    monkeypatch.setattr(limits, "LEASE_SECONDS", -1.0)
    monkeypatch.setattr(limits, "LEASE_ROWS", 0)
    browser.forget()
    store.amend(1, 200)
    feed.step()
    assert answers(browser) == []
    monkeypatch.setattr(limits, "LEASE_SECONDS", 60.0)
    feed.heard()
    feed.step()
    assert answers(browser) == [(1, 200)]


def test_what_was_deleted_is_not_sent_again(store, browser, feed):
    store.append([unanswered() for _ in range(3)])
    feed.hello()
    feed.drain()
    store.amend(2, 200)
    feed.step()
    store.delete([2])
    feed.drain()
    browser.forget()
    store.amend(3, 200)
    feed.step()
    assert answers(browser) == [(3, 200)]


def test_what_was_amended_before_anybody_looked_goes_once(store, browser, feed):
    store.append([unanswered() for _ in range(3)])
    store.amend(2, 200)
    feed.hello()
    feed.drain()
    feed.step()
    assert answers(browser) == [(1, None), (2, 200), (3, None)]
