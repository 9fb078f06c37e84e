"""What the kernel tells the browser: numbered ranges, within limits, masked, never stale."""

import json

import pytest

from webhooklab.headers import Headers
from webhooklab.inbox import Description, limits
from webhooklab.inbox.answers import Answers
from webhooklab.inbox.feed import Feed
from webhooklab.records import Arrival, Event, Interpretation, Request
from webhooklab.store import Store


class Browser:
    """Unpacks what it is sent, as the page does."""

    def __init__(self):
        self.messages = []

    def send(self, message, buffers):
        self.messages.append((json.loads(json.dumps(message)), b"".join(buffers)))

    def of(self, kind):
        return [message for message, _ in self.messages if message["kind"] == kind]

    def rows(self, kind="rows"):
        found = []
        for message, buffer in self.messages:
            if message["kind"] == kind:
                columns = json.loads(buffer[: message["columns"]])
                names = list(columns)
                values = zip(*columns.values(), strict=True)
                found += [dict(zip(names, row, strict=True)) for row in values]
        return found

    def seqs(self):
        return [row["seq"] for row in self.rows()]

    def details(self):
        found = {}
        for message, buffer in self.messages:
            at = message.get("columns", 0)
            for seq, masked, header_bytes, body_bytes in message.get("details", []):
                headers = json.loads(buffer[at : at + header_bytes])
                at += header_bytes
                found[seq] = (headers, bool(masked), buffer[at : at + body_bytes])
                at += body_bytes
        return found

    def forget(self):
        self.messages.clear()


def arrival(number, *, body=None, target="/orders", headers=(), event_type="order.paid"):
    request = Request(
        received_at=1_700_000_000_000_000 + number,
        method="POST",
        target=target,
        headers=Headers(headers),
        body=b'{"n": %d}' % number if body is None else body,
    )
    return Arrival(request, Interpretation(event=Event(event_type, f"e{number}")), 200)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "captures.db")
    yield opened
    opened.close()


def add(store, *numbers, **more):
    store.append([arrival(number, **more) for number in numbers])


def describe():
    return Description(url="http://127.0.0.1:1/", status="listening", file="captures.db")


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def feed(store, browser):
    return Feed(store, describe, browser.send)


def answers(store, browser, export=lambda _text: b"csv"):
    return Answers(store, export, browser.send)


def test_a_browser_that_comes_late_gets_the_newest_first_and_all_at_last(store, browser, feed):
    add(store, *range(500))
    feed.hello()
    feed.drain()
    assert browser.seqs() == [*range(301, 501), *range(1, 301)]
    ranges = [(each["after"], each["through"]) for each in browser.of("rows")]
    assert ranges == [(300, 500), (0, 300)]


def test_new_rows_go_together_and_say_which_range_they_cover(store, browser, feed):
    feed.step()
    add(store, 1, 2)
    add(store, 3)
    feed.step()
    add(store, 4)
    feed.step()
    feed.step()
    told = [(each["after"], each["through"]) for each in browser.of("rows") if each["through"]]
    assert told == [(0, 3), (3, 4)]
    assert browser.seqs() == [1, 2, 3, 4]
    assert browser.of("rows")[-1]["total"] == 4


def test_what_was_lost_is_sent_again_when_asked_for(store, browser, feed):
    add(store, *range(10))
    feed.step()
    browser.forget()
    feed.want([(2, 5)])
    feed.drain()
    assert browser.seqs() == [3, 4, 5]


def test_a_range_of_which_nothing_is_left_is_answered_all_the_same(store, browser, feed):
    add(store, *range(10))
    store.delete([3, 4, 5])
    feed.step()
    browser.forget()
    feed.want([(2, 5)])
    feed.drain()
    assert [(each["after"], each["through"]) for each in browser.of("rows")] == [(2, 5)]
    assert browser.seqs() == []


def test_what_the_file_has_dropped_is_told_and_rows_are_not_sent_again(store, browser, feed):
    add(store, *range(10))
    feed.step()
    browser.forget()
    store.drop_oldest(4)
    feed.step()
    (state,) = browser.of("state")
    assert (state["gone"], state["total"], browser.seqs()) == (4, 6, [])
    add(store, 10)
    feed.step()
    assert browser.of("rows")[-1]["total"] == 7
    assert browser.seqs() == [11]


def test_the_state_tells_the_head_so_that_a_lost_last_message_shows(store, browser, feed):
    add(store, *range(3))
    feed.step()
    feed.hello()
    feed.step()
    assert browser.of("state")[-1]["head"] == 3


def test_the_state_is_repeated_and_sent_when_it_changes(store, browser):
    said = ["listening"]
    feed = Feed(store, lambda: Description("", said[0], "x"), browser.send)
    feed.step()
    count = len(browser.of("state"))
    feed.step()
    assert len(browser.of("state")) == count
    said[0] = "closed"
    feed.step()
    assert browser.of("state")[-1]["status"] == "closed"


def test_deleting_makes_a_new_revision_and_the_browser_begins_again(store, browser, feed):
    add(store, *range(5))
    feed.hello()
    feed.drain()
    before = browser.of("rows")[-1]["revision"]
    browser.forget()
    store.delete([2, 3])
    feed.drain()
    assert browser.messages[0][0]["kind"] == "state"
    assert {each["revision"] for each in browser.of("rows")} == {browser.of("state")[0]["revision"]}
    assert browser.of("rows")[-1]["revision"] > before
    assert browser.seqs() == [1, 4, 5]
    assert browser.of("rows")[-1]["total"] == 3


def test_bodies_and_headers_go_along_masked(store, browser, feed):
    feed.step()
    headers = [("Authorization", "Bearer s3cret"), ("Accept", "*/*")]
    add(store, 1, headers=headers, target="/x?token=s3cret&a=1", body=b"\x00raw")
    add(store, 2)
    feed.step()
    shown, masked, body = browser.details()[1]
    assert shown == [["Authorization", "***"], ["Accept", "*/*"]]
    assert (masked, body) == (True, b"\x00raw")
    assert browser.details()[2][1] is False
    first, second = browser.rows()
    assert (first["query_string"], first["marks"]) == ("token=***&a=1", 1)
    assert second["marks"] == 0
    assert not any(b"s3cret" in buffer for _, buffer in browser.messages)


def test_large_bodies_wait_until_somebody_looks(store, browser, feed):
    feed.step()
    add(store, 1, body=b"x" * (limits.PUSHED_BODY_BYTES + 1))
    feed.step()
    assert browser.seqs() == [1]
    assert browser.details() == {}
    answers(store, browser).answer({"kind": "body", "seq": 1})
    assert len(browser.details()[1][2]) == limits.PUSHED_BODY_BYTES + 1


def test_bodies_over_the_rate_wait_too_and_the_newest_come_first(store, browser, feed, monkeypatch):
    monkeypatch.setattr(limits, "PUSHED_BYTES_PER_SECOND", 1_000)
    feed.step()
    add(store, *range(10), body=b"x" * 300)
    feed.step()
    assert browser.seqs() == list(range(1, 11))
    assert 1 <= len(browser.details()) <= 3
    assert 10 in browser.details()


def test_a_browser_that_is_gone_gets_no_bodies_and_not_rows_for_ever(
    store, browser, feed, monkeypatch
):
    monkeypatch.setattr(limits, "LEASE_SECONDS", -1.0)
    monkeypatch.setattr(limits, "LEASE_ROWS", 5)
    feed.step()
    for number in range(10):
        add(store, number)
        feed.step()
    assert browser.seqs() == [1, 2, 3, 4, 5]
    assert browser.details() == {}
    monkeypatch.setattr(limits, "LEASE_SECONDS", 60.0)
    feed.heard()
    feed.step()
    assert browser.seqs() == list(range(1, 11))


def test_only_the_newest_rows_go_where_more_came_at_once(store, browser, feed, monkeypatch):
    monkeypatch.setattr(limits, "HELD_ROWS", 10)
    feed.step()
    browser.forget()
    add(store, *range(25))
    feed.step()
    assert browser.seqs() == list(range(16, 26))
    assert browser.of("rows")[-1]["total"] == 25


def test_a_browser_without_a_voice_gets_the_newest_rows_again(store, browser, feed, monkeypatch):
    monkeypatch.setattr(limits, "HEARTBEAT_SECONDS", 0.0)
    add(store, 1, 2)
    feed.step()
    browser.forget()
    feed.step()
    feed.step()
    assert 2 in browser.seqs()


def test_long_texts_are_cut_and_marked(store, browser, feed):
    feed.step()
    add(store, 1, event_type="x" * 10_000)
    feed.step()
    (row,) = browser.rows()
    assert len(row["event_type"]) == limits.CELL_CHARS
    assert row["marks"] == 2


def test_the_thread_pushes_by_itself_and_stops(store, browser, feed):
    feed.start()
    add(store, 1)
    for _ in range(100):
        if browser.seqs():
            break
        feed._stopping.wait(0.05)
    feed.stop()
    assert 1 in browser.seqs()
    assert not feed._thread.is_alive()


# Questions


def test_older_rows_come_in_pages_by_the_filter(store, browser, monkeypatch):
    monkeypatch.setattr(limits, "OLDER_ROWS", 3)
    add(store, *range(10))
    question = {"kind": "older", "id": "a", "filter": "-seq:6", "before": 8}
    answers(store, browser).answer(question)
    assert [row["seq"] for row in browser.rows("older")] == [4, 5, 7]
    assert browser.of("older")[0]["done"] is False
    browser.forget()
    answers(store, browser).answer(question | {"before": 3})
    assert [row["seq"] for row in browser.rows("older")] == [1, 2]
    assert browser.of("older")[0]["done"] is True
    browser.forget()
    answers(store, browser).answer(question | {"before": 1})
    assert browser.rows("older") == []


def test_the_kernel_says_which_rows_match(store, browser):
    add(store, 1, 2)
    add(store, 3, body=b"please REFUND me")
    question = {"kind": "search", "id": "a", "filter": "refund", "after": 0, "through": 3}
    answers(store, browser).answer(question)
    assert browser.messages[0][1] == b"[3]"


def test_a_body_that_is_gone_or_too_large_is_said_to_be(store, browser, monkeypatch):
    monkeypatch.setattr(limits, "FETCHED_BODY_BYTES", 3)
    add(store, 1)
    answers(store, browser).answer({"kind": "body", "seq": 1})
    answers(store, browser).answer({"kind": "body", "seq": 99})
    assert [each["gone"] for each in browser.of("absent")] == [False, True]


def test_a_failure_is_an_answer(store, browser):
    def fail(_text):
        raise OSError("disk full")

    ask = answers(store, browser, fail).answer
    ask({"kind": "export", "id": "a", "filter": ""})
    ask({"kind": "search", "id": "b", "filter": "after:x", "after": 0, "through": 1})
    ask({"kind": "body", "seq": "none"})
    ask({"kind": "nonsense"})
    errors = [each["error"] for each in browser.of("failed")]
    assert errors[0] == "OSError: disk full"
    assert "is not a time" in errors[1]
    assert len(errors) == 3


def test_questions_are_answered_on_a_thread(store, browser):
    add(store, 1)
    running = answers(store, browser)
    running.start()
    running.ask({"kind": "body", "seq": 1})
    running.stop()
    assert list(browser.details()) == [1]
