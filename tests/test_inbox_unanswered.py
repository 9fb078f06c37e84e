"""Who left before its answer is known to have none; of others nobody knows, or not yet."""

import threading

import pytest

from tests.raw_http import Client, post
from tests.store_parts import arrival
from tests.test_inbox_feed import Browser
from tests.waiting import until
from webhooklab import Lab, clock
from webhooklab.inbox.feed import Feed
from webhooklab.inbox.rows import SENDER_LEFT

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def lab(file):
    with Lab(file) as opened:
        yield opened


def left(lab):
    """Which deliveries the inbox says have lost their sender."""
    browser = Browser()
    feed = Feed(lab._parts.store, lab._describe, browser.send)
    feed.hello()
    feed.drain()
    return {row["seq"] for row in browser.rows() if row["marks"] & SENDER_LEFT}


def test_a_sender_that_leaves_while_its_answer_is_made(lab):
    go = threading.Event()
    lab.respond(lambda _delivery: go.wait(20) and 201)
    with Client(lab.url) as client:
        client.send(POST)
        lab.wait(1, after=0)
        assert left(lab) == set(), "it waits"
    [promise] = lab._parts.server.ingress._promises.pending
    until(lambda: promise._sender.gone)
    go.set()
    until(lambda: left(lab) == {1})
    assert lab.events["status"].isna().all()


def test_a_sender_that_had_left_before_its_delivery_was_stored(lab):
    server = lab._parts.server
    server._background.call(server.ingress.receive, arrival().request, None)
    lab.wait(1, after=0)
    until(lambda: left(lab) == {1})


def test_a_sender_that_was_answered_has_not_left(lab):
    assert post(lab.url, b"{}").status == 200
    assert left(lab) == set()


def test_it_is_told_apart_by_when_what_listens_began(file):
    with Lab(file) as lab:
        before = lab._describe().since
        assert before is not None
        assert post(lab.url, b"{}").status == 200
        assert clock.to_datetime(before) <= lab[1].stored_at
    assert lab._describe().since is None
    with Lab(file) as lab:
        assert lab._describe().since > before
