"""What was fetched, as the inbox's browser gets it: beside the payload, bounded, at once."""

import json

import pytest

from tests.api_parts import Api, entity_asked_for, shown
from tests.store_parts import arrival
from tests.test_inbox_feed import Browser, describe
from tests.waiting import until
from webhooklab import Lab
from webhooklab.differences import difference, place_of
from webhooklab.inbox import limits
from webhooklab.inbox.answers import Answers
from webhooklab.inbox.feed import Feed
from webhooklab.inbox.truths import Truths


@pytest.fixture
def api():
    with Api(entity_asked_for) as server:
        yield server


def deliver(pulling, *bodies):
    made = [json.dumps(body).encode() for body in bodies]
    return [each.seq for each in pulling._store.append([arrival(body) for body in made])]


def truth(pulling, seq, budget=limits.SHOWN_SIDES_BYTES):
    return json.loads(Truths(pulling._store, pulling.outlook).of(seq, budget))


def patched(payload, fetched):
    return difference(payload, fetched, 0)


def test_the_payload_comes_as_far_as_it_was_compared(pulling, api):
    fetcher = pulling.fetch_related(api.url + "{data.object.id}", version="v")
    [seq] = deliver(pulling, {"id": "e", "data": {"object": {"id": "a", "v": 1}}})
    fetcher.drain()
    [found] = truth(pulling, seq)["fetches"]
    assert found["place"] == ["data", "object"]
    assert json.loads(found["payload"]) == {"id": "a", "v": 1}
    assert json.loads(found["state"]) == {"id": "a", "v": 2}
    assert json.loads(found["difference"]) == [{"op": "replace", "path": "/v", "value": 2}]
    assert found["superseded"] is True
    assert found["fetcher"] == api.url + "{data.object.id}"


def test_what_is_large_comes_when_it_is_asked_for(pulling, api):
    fetcher = pulling.fetch_related(api.url + "{id}")
    [seq] = deliver(pulling, {"id": "a", "text": "x" * 600_000})
    fetcher.drain()
    [found] = truth(pulling, seq)["fetches"]
    assert (found["payload"], found["state"], found["difference"]) == (None, None, None)
    assert found["left_out"] > 600_000
    [found] = truth(pulling, seq, limits.FETCHED_SIDES_BYTES)["fetches"]
    assert len(found["payload"]) > 600_000
    assert found["left_out"] == 0


def test_several_share_what_may_be_sent(pulling, api):
    bodies = {"id": "a", "text": "x" * 1_000}
    for number in range(12):
        pulling.fetch_related(api.url + "{id}", name=f"f{number}")
    [seq] = deliver(pulling, bodies)
    until(lambda: truth(pulling, seq)["count"] == 12)
    found = truth(pulling, seq, 3_500)
    assert len(found["fetches"]) == limits.SHOWN_FETCHES
    assert [each["left_out"] > 0 for each in found["fetches"]] == [False] * 3 + [True] * 7


@pytest.mark.parametrize(
    ("payload", "fetched", "place"),
    [
        ({"id": 1}, {"id": 1, "v": 2}, ()),
        ({"data": {"id": 1}}, {"id": 1, "v": 2}, ("data",)),
        ({"a": [{"id": 2}, {"id": 1}]}, {"id": 1, "v": 2}, ("a", 1)),
        ({"a/b": {"~": 1, "x/y": 2}}, {"~": 1, "x/y": 3}, ("a/b",)),
        ({"id": 7}, {"id": 1, "v": 2}, None),
        ([], {"id": 1, "v": 2}, None),
        ({"id": 1}, [1], None),
    ],
)
def test_the_place_is_where_the_difference_begins(payload, fetched, place):
    inside = payload
    for part in place or ():
        inside = inside[part]
    patch = patched(inside, fetched) if place is not None else patched({"id": 1}, fetched)
    assert place_of(payload, patch, fetched) == place


def test_a_payload_of_very_many_objects_is_not_gone_through_for_ever():
    payload = {"id": 1, "all": [{"id": 2} for _ in range(20_000)] + [{"id": 3, "v": 1}]}
    assert (
        place_of(payload, patched({"id": 3, "v": 1}, {"id": 3, "v": 2}), {"id": 3, "v": 2}) is None
    )


def test_why_nothing_is_fetched_is_said(pulling, api):
    [early] = deliver(pulling, {"id": "a"})
    assert "Nothing is fetched here" in truth(pulling, early)["outlook"]
    fetcher = pulling.fetch_related(api.url + "{id}", event_type="invoice.*")
    assert "came before" in truth(pulling, early)["outlook"]
    [other] = deliver(pulling, {"id": "a"})
    assert "Nothing is fetched for this type" in truth(pulling, other)["outlook"]
    fetcher.stop()
    assert "was stopped" in truth(pulling, other)["outlook"]
    assert "Nothing is fetched here" in truth(pulling, 99)["outlook"]


def test_the_browser_is_told_of_fetches_by_itself(pulling, api):
    browser = Browser()
    feed = Feed(pulling._store, describe, browser.send)
    fetcher = pulling.fetch_related(api.url + "{id}", version="v")
    feed.step()
    seqs = deliver(pulling, *({"id": f"o{n}", "v": 1} for n in range(8)))
    fetcher.drain()
    feed.step()
    [told] = browser.of("fetched")
    assert (told["after"], told["through"], sorted(told["seqs"])) == (0, 8, seqs)
    pushed = browser.of("truth")
    assert len(pushed) == limits.PUSHED_NEWS
    assert {each["seq"] for each in pushed} <= set(seqs)
    browser.forget()
    feed.step(last=True)
    assert browser.of("fetched") == []
    assert browser.of("state")[-1]["fetched"] == 8
    deliver(pulling, {"id": "o9"})
    fetcher.drain()
    feed.step()
    assert [(each["after"], each["through"]) for each in browser.of("fetched")] == [(8, 9)]


def test_the_browser_asks_for_what_it_lacks(pulling, api):
    browser = Browser()
    answers = Answers(pulling._store, lambda _text: b"", browser.send, pulling.outlook)
    fetcher = pulling.fetch_related(api.url + "{id}")
    [seq] = deliver(pulling, {"id": "a", "text": "x" * 600_000})
    fetcher.drain()
    for whole in (False, True):
        answers.answer({"kind": "truth", "seq": seq, "whole": whole})
    told = [json.loads(buffer) for _, buffer in browser.messages]
    assert [each["fetches"][0]["left_out"] > 0 for each in told] == [True, False]


def test_a_lab_describes_what_it_pulls_without_secrets(file, api):
    with Lab(file) as lab:
        lab.poll(api.url + "orders?token=s3cret", every=30, name="orders")
        lab.fetch_related(api.url + "{id}?key=s3cret", headers={"Authorization": "Bearer s3cret"})
        until(lambda: lab._describe().pulls[0].counts.startswith("1 poll"))
        said = lab._describe().as_message()
        poller, fetcher = said["pulls"]
        assert (poller["kind"], poller["name"], poller["failing"]) == ("Poller", "orders", False)
        assert poller["next_at"] > said["since"]
        assert fetcher["kind"] == "Fetcher"
        assert "s3cret" not in json.dumps(said)
    assert lab._describe().pulls == ()


def test_a_poller_that_fails_is_described_as_failing_until_it_does_not(file):
    answers = [b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"]
    with Api(lambda _asked: answers[0]) as api, Lab(file) as lab:
        poller = lab.poll(api.url, every=60, name="orders")
        poller.poll_now()
        [described] = lab._describe().pulls
        assert described.failing
        assert "403" in described.error
        answers[0] = shown([{"id": 1}])
        poller.poll_now()
        [described] = lab._describe().pulls
        assert not described.failing
        assert "403" in described.error
