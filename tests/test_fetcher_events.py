"""After each delivery, a GET: one row per event, retries, coalescing, nothing for the hostile."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from tests.api_parts import Api, always, entity_asked_for, shown
from tests.raw_http import post
from tests.raw_server import HANG, raw
from tests.store_parts import arrival
from tests.waiting import until
from webhooklab import Lab
from webhooklab.demo import Shop
from webhooklab.errors import FetchTimeout, MappingError, PullArgumentError
from webhooklab.headers import Headers
from webhooklab.pulling import Pulling
from webhooklab.pulling.truth import is_newer, is_superseded
from webhooklab.refusals import refusal


@pytest.fixture
def api():
    with Api(entity_asked_for) as server:
        yield server


def deliver(pulling, *bodies, **options):
    made = [json.dumps(body).encode() if not isinstance(body, bytes) else body for body in bodies]
    stored = pulling._store.append([arrival(body, **options) for body in made])
    return [each.seq for each in stored]


def fetched(pulling, fetcher):
    fetcher.drain()
    return pulling.observations.fetches().sort_values(["seq", "item"])


def test_each_event_has_a_row_with_the_truth(pulling, api):
    deliver(pulling, {"data": {"id": "old"}})
    fetcher = pulling.fetch_related(api.url + "orders/{data.id}", version="v", entity_type="order")
    seqs = deliver(pulling, {"data": {"id": "a", "v": 1}}, {"data": {"id": "b", "v": 2}})
    rows = fetched(pulling, fetcher)
    assert list(rows["seq"]) == seqs
    assert list(rows["url"]) == [api.url + "orders/a", api.url + "orders/b"]
    assert list(rows["state"]) == [{"id": "a", "v": 2}, {"id": "b", "v": 2}]
    assert list(rows["entity_id"]) == ["a", "b"]
    assert set(rows["entity_type"]) == {"order"}
    assert set(rows["version"]) == {"2"}
    assert list(rows["superseded"]) == [True, False]
    assert rows["difference"].iloc[0] == [{"op": "replace", "path": "/v", "value": 2}]
    assert rows["difference"].iloc[1] == []
    assert rows["error"].isna().all()
    assert set(rows["status"]) == {200}
    assert rows["fetched_at"].notna().all()
    assert set(rows["attempts"]) == {1}


def test_empty_frames_have_the_same_dtypes(pulling, api):
    empty = dict(pulling.observations.fetches().dtypes)
    fetcher = pulling.fetch_related(api.url + "{id}")
    deliver(pulling, {"id": 1})
    assert dict(fetched(pulling, fetcher).dtypes) == empty


@pytest.mark.parametrize(
    "body",
    [
        *({"id": value} for value in ("../admin", "http://evil/", "..%2f", "a\nb", "x" * 10_240)),
        *({"id": value} for value in ("", None, {"a": 1}, [1], True)),
        *({}, [], b"", b"not json", b"\xff\xfe"),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_a_hostile_body_is_a_row_and_no_request(pulling, api, body):
    fetcher = pulling.fetch_related(api.url + "orders/{id}")
    deliver(pulling, body)
    rows = fetched(pulling, fetcher)
    assert rows["error"].iloc[0].endswith("not fetched")
    assert rows[["url", "fetched_at", "status", "state"]].isna().all(axis=None)
    assert api.asked == []
    assert fetcher.stats["refused"] == 1


def test_through_the_listener_and_from_a_foreign_page(tmp_path, api):
    with Lab(tmp_path / "captures.db") as lab:
        pulling = Pulling(
            lab._parts.store,
            refuse=lambda each, **_: refusal(each, allow_origins=["http://good.example"]),
        )
        fetcher = pulling.fetch_related(api.url + "{id}", path="/hooks")
        post(lab.url, b'{"id": 1}', "hooks")
        post(lab.url, b'{"id": 2}', "hooks/below", ("Origin: http://evil.example",))
        post(lab.url, b'{"id": 3}', "elsewhere")
        post(lab.url, b'{"id": 4}', "hooks", ("Origin: http://good.example",))
        rows = fetched(pulling, fetcher)
        pulling.stop()
    assert list(rows["error"].notna()) == [False, True, False]
    assert "a web page of another origin sent it" in rows["error"].iloc[1]
    assert sorted(api.targets) == ["/1", "/4"]


@pytest.mark.parametrize(
    ("verified", "reason"), [("valid", None), ("invalid", "invalid"), ("unsigned", "unsigned")]
)
def test_where_there_is_a_secret_only_what_is_valid_is_fetched_for(verified, reason):
    delivery = SimpleNamespace(headers=Headers([]), verified=verified)
    expected = reason and f"its signature is {reason}"
    assert refusal(delivery, must_be_valid=True) == expected
    assert refusal(delivery) is None


@pytest.mark.parametrize("source", ["import", "recovered"])
def test_what_nobody_sent_just_now_is_not_fetched_for(pulling, api, source):
    fetcher = pulling.fetch_related(api.url + "{id}")
    made = arrival(b'{"id": 1}')
    made.request.source = source
    pulling._store.append([made])
    assert len(fetched(pulling, fetcher)) == 0


def test_events_that_wait_share_a_get_and_those_that_come_later_do_not(pulling, api):
    began, go_on = threading.Event(), threading.Event()

    def slow(_):
        began.set()
        go_on.wait(5)
        return shown({"id": "a", "n": len(api.asked)})

    api.answer = slow
    fetcher = pulling.fetch_related(api.url + "{id}")
    deliver(pulling, {"id": "a"})
    assert began.wait(5)
    deliver(pulling, *[{"id": "a"}] * 5)
    until(lambda: fetcher.stats["waiting"] == 5)
    go_on.set()
    rows = fetched(pulling, fetcher)
    assert [state["n"] for state in rows["state"]] == [1, 2, 2, 2, 2, 2]
    assert len(api.asked) == 2
    assert fetcher.stats["coalesced"] == 4


def test_concurrency_is_bounded_and_one_url_is_asked_once_at_a_time(pulling, api):
    def slow(_):
        time.sleep(0.02)
        return shown({"id": 1})

    api.answer = slow
    fetcher = pulling.fetch_related(api.url + "{id}", concurrency=3)
    deliver(pulling, *({"id": number % 10} for number in range(60)))
    assert len(fetched(pulling, fetcher)) == 60
    assert 1 < api.most_at_once <= 3


@pytest.mark.parametrize(
    "outcome",
    [
        (HANG, None, "no answer within", 2),
        (raw(500), 500, "500 Internal Server Error", 2),
        (raw(429), 429, "429 Too Many Requests", 2),
        (raw(401), 401, "check auth=", 1),
        (raw(200, b"<html>", "Content-Type: text/html"), 200, "not JSON", 1),
        (raw(200, b" " * 200_000), None, "MAX_ANSWER_BYTES", 1),
        (raw(302, b"", "Location: http://127.0.0.2/"), 302, "another origin", 1),
        (raw(404), 404, None, 1),
        (raw(410), 410, None, 1),
    ],
)
def test_an_outcome_and_the_next_fetch_as_if_nothing_had_been(pulling, api, outcome):
    answer, status, error, attempts = outcome
    good, api.answer = api.answer, always(answer)
    fetcher = pulling.fetch_related(api.url + "{id}", auth=("u", "s3cret"))
    deliver(pulling, {"id": 1})
    row = fetched(pulling, fetcher).astype(object).where(lambda f: f.notna(), None).iloc[0]
    assert (row["status"], row["attempts"], row["state"]) == (status, attempts, None)
    assert (row["superseded"], row["difference"]) == (None, None)
    assert error in row["error"] if error else row["error"] is None
    assert "s3cret" not in repr(fetcher) + fetcher._repr_html_()
    api.answer = good
    deliver(pulling, {"id": 1})
    assert fetched(pulling, fetcher)["state"].iloc[1] == {"id": "1", "v": 2}


def test_the_rate_limit_holds_back_and_gives_nothing_up(pulling, api):
    answers = [raw(429, b"", "Retry-After: 2"), shown({"id": 1}), shown({"id": 2})]
    api.answer = lambda _: answers.pop(0)
    fetcher = pulling.fetch_related(api.url + "{id}", concurrency=1)
    deliver(pulling, {"id": 1}, {"id": 2})
    began = time.monotonic()
    rows = fetched(pulling, fetcher)
    assert time.monotonic() - began > 1.5
    assert rows["error"].isna().all()


def test_each_event_of_a_batch_is_fetched(pulling, api):
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/s", "type": "t", "data": {"id": n}}
        for n in (1, 2)
    ]
    fetcher = pulling.fetch_related(api.url + "{data.id}")
    deliver(pulling, events, headers=[("Content-Type", "application/cloudevents-batch+json")])
    rows = fetched(pulling, fetcher)
    assert sorted(rows["item"]) == [0, 1]
    assert sorted(api.targets) == ["/1", "/2"]


def test_a_delivery_that_was_deleted_meanwhile_has_no_row(pulling, api):
    go_on = threading.Event()

    def slow(_):
        go_on.wait(5)
        return shown({"id": 1})

    api.answer = slow
    fetcher = pulling.fetch_related(api.url + "{id}")
    seqs = deliver(pulling, {"id": 1})
    until(lambda: api.asked)
    pulling._store.delete(seqs)
    go_on.set()
    assert len(fetched(pulling, fetcher)) == 0


def test_stop_is_at_once_and_the_same_name_replaces(pulling, api):
    api.answer = always(HANG)
    first = pulling.fetch_related(api.url + "{id}")
    deliver(pulling, {"id": 1})
    until(lambda: api.asked)
    began = time.monotonic()
    second = pulling.fetch_related(api.url + "{id}")
    assert time.monotonic() - began < 1.5
    assert (first.running, second.running) == (False, True)
    assert pulling.fetchers == {second.name: second}
    second.stop()
    deliver(pulling, {"id": 2})
    with pytest.raises(FetchTimeout):
        second.drain(0.1)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"url_template": "http://h/x"}, PullArgumentError),
        ({"url_template": "http://h/{x}", "concurrency": 0}, PullArgumentError),
        ({"url_template": "http://h/{x}", "version": "["}, MappingError),
    ],
)
def test_what_makes_no_sense_is_told_at_once(pulling, arguments, error):
    with pytest.raises(error):
        pulling.fetch_related(**arguments)


def test_resource_and_state_may_be_told(pulling, api):
    api.answer = always(shown({"data": {"no": 7, "a": 2}}))
    fetcher = pulling.fetch_related(
        api.url + "{ref.id}", resource="data", entity_id="no", state=lambda body: body["was"]
    )
    deliver(pulling, {"ref": {"id": 7}, "was": {"no": 7, "a": 1}})
    row = fetched(pulling, fetcher).iloc[0]
    assert (row["entity_id"], row["superseded"]) == ("7", True)
    assert row["difference"] == [{"op": "replace", "path": "/a", "value": 2}]


def test_a_thin_event_of_the_shop_is_followed_by_the_truth(tmp_path):
    with Lab(tmp_path / "captures.db") as lab, Shop(seed=5, payload="thin") as shop:
        pulling = Pulling(lab._parts.store)
        fetcher = pulling.fetch_related(
            shop.url + "orders/{data.id}",
            headers={"X-Api-Key": shop.api_key},
            version="version",
            event_type="order.*",
        )
        shop.send_to(lab.url)
        shop.advance(20)
        shop.drain()
        rows = fetched(pulling, fetcher)
        pulling.stop()
        events = lab.events
        orders = events.index[events["event_type"].str.startswith("order.")]
        assert list(rows["seq"]) == list(orders)
        assert 0 < len(orders) < len(events)
        of_orders = rows
        found = of_orders[of_orders["status"] == 200]
        assert found["version"].notna().all()
        assert found["error"].isna().all()
        assert set(of_orders["status"]) <= {200, 404}


@pytest.mark.parametrize(
    ("fetched_version", "pushed", "newer"),
    [
        ("2", "1", True),
        ("1", "2", False),
        ("10", "9", True),
        ("2026-03-01T10:00:01Z", "2026-03-01T10:00:00Z", True),
        ("2026-03-01T10:00:00.900Z", "2026-03-01T10:00:00Z", False),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z", False),
        ("2026-03-01T10:00:01Z", "1772359200", True),
        ("abc", "abc", False),
        ("abc", "abd", None),
    ],
)
def test_newer_versions(fetched_version, pushed, newer):
    assert is_newer(fetched_version, pushed) is newer


@pytest.mark.parametrize(
    ("fetched_state", "pushed", "superseded"),
    [
        ({"id": 1, "a": 2}, {"id": 1, "a": 1}, True),
        ({"id": 1, "a": 2}, {"id": 1}, False),
        ({"a": 2}, {"b": 1}, None),
        ({"a": 2}, None, None),
    ],
)
def test_superseded_without_versions(fetched_state, pushed, superseded):
    assert is_superseded(fetched_state, pushed, None, None) is superseded
    assert is_superseded(fetched_state, pushed, "x", "y") is superseded
