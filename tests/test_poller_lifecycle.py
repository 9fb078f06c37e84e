"""Starting, stopping, replacing; being seen; and never two polls at a time."""

import json
import threading
import time

import httpx
import pytest

from tests.api_parts import Api, always, last, pulling_in, shown, started, states
from tests.proxy_parts import Proxy
from tests.raw_server import HANG, raw
from tests.waiting import until
from webhooklab.demo import Faults, Shop
from webhooklab.errors import ClosedError, MappingError, PullArgumentError
from webhooklab.pulling import Limits


@pytest.fixture
def api():
    with Api(always(shown([{"id": 1}]))) as server:
        yield server


def test_it_polls_at_once_and_then_every_so_often(pulling, api):
    poller = pulling.poll(api.url, every=0.2)
    until(lambda: poller.stats["polls"] >= 4)
    begun = pulling.observations.polls()["requested_at"]
    gaps = begun.diff().dropna().dt.total_seconds()
    assert gaps.min() >= 0.19


def test_what_is_on_this_machine_is_not_polled_by_way_of_a_proxy(pulling, api, monkeypatch):
    with Proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        poller = pulling.poll(api.url, every=0.1)
        until(lambda: poller.stats["polls"] >= 1)
        assert list(pulling.observations.polls()["status"].head(1)) == [200]
        assert proxy.asked == []


def test_a_poll_never_starts_before_the_last_one_ended(pulling, api):
    def slow(_):
        time.sleep(0.05)
        return shown([])

    api.answer = slow
    poller = pulling.poll(api.url, every=0.001)
    asking = [threading.Thread(target=poller.poll_now) for _ in range(5)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    until(lambda: poller.stats["polls"] >= 5)
    assert api.most_at_once == 1


def test_stop_returns_at_once_and_leaves_nothing_half_written(tmp_path, api):
    api.answer = always(HANG)
    with pulling_in(tmp_path, Limits()) as pulling:
        poller = pulling.poll(api.url)
        until(lambda: api.asked)
        began = time.monotonic()
        poller.stop()
        assert time.monotonic() - began < 1.0
        assert not poller.running
        assert poller.stats["doing"] == "stopped"
        assert len(pulling.observations.polls()) == 0
        poller.stop()
        with pytest.raises(ClosedError, match="was stopped"):
            poller.poll_now()


def test_who_waits_for_a_poll_is_told_that_it_was_stopped(tmp_path, api):
    api.answer = always(HANG)
    with pulling_in(tmp_path, Limits()) as pulling:
        poller = pulling.poll(api.url)
        until(lambda: api.asked)
        errors = []

        def wait():
            with pytest.raises(ClosedError) as error:
                poller.poll_now()
            errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: poller._asked)
        poller.stop()
        thread.join(5)
        assert len(errors) == 1


def test_a_poller_outlives_even_its_file(pulling, api):
    poller = started(pulling, api.url)
    pulling._store.close()
    poller.poll_now()
    assert poller.running
    assert "could not be stored" in repr(poller)


def test_stopping_all_ends_the_thread(tmp_path, api):
    with pulling_in(tmp_path) as pulling:
        started(pulling, api.url)
    assert not [t for t in threading.enumerate() if t.name == "webhooklab-pulling"]


def test_the_same_name_replaces(pulling, api):
    first = started(pulling, api.url)
    second = started(pulling, api.url)
    assert (first.running, second.running) == (False, True)
    assert pulling.pollers == {second.name: second}
    third = started(pulling, api.url, name="mine")
    assert second.running
    assert set(pulling.pollers) == {second.name, "mine"}
    assert third.name == "mine"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"url": "orders"}, PullArgumentError),
        ({"url": "ftp://host/x"}, PullArgumentError),
        ({"url": "https://"}, PullArgumentError),
        ({"url": "http://h:99999/"}, PullArgumentError),
        ({"every": 0}, PullArgumentError),
        ({"every": "30"}, PullArgumentError),
        ({"every": float("nan")}, PullArgumentError),
        ({"entity_id": "a["}, MappingError),
        ({"auth": 42}, TypeError),
    ],
)
def test_what_makes_no_sense_is_told_at_once_and_stops_nothing(pulling, api, arguments, error):
    running = started(pulling, api.url)
    with pytest.raises(error):
        pulling.poll(**{"url": api.url, **arguments})
    assert running.running


def test_secrets_stay_out_of_what_is_shown(pulling, api):
    api.answer = always(raw(401))
    url = api.url.replace("//", "//user:s3cret@") + "x?api_key=s3cret&a=1"
    poller = started(pulling, url, params={"token": "s3cret"}, headers={"X-Auth": "s3cret"})
    polls = pulling.observations.polls().to_csv()
    stored = (pulling._store.path).read_bytes()
    for text in (repr(poller), poller._repr_html_(), polls, json.dumps(poller.stats, default=str)):
        assert "s3cret" not in text
    assert b"s3cret" not in stored
    assert "api_key=***&a=1&token=***" in polls
    assert api.asked[0].target == "/x?api_key=s3cret&a=1&token=s3cret"
    assert api.asked[0].headers["authorization"].startswith("Basic ")


def test_what_the_server_says_is_escaped(pulling, api):
    api.answer = always(raw(200, b"<script>", "Content-Type: <script>alert(1)</script>"))
    poller = started(pulling, api.url)
    assert "<script>" in poller.stats["last_error"]
    assert "<script>" not in poller._repr_html_()


def _with_header(request):
    request.headers["Authorization"] = "Basic dTpw"
    return request


@pytest.mark.parametrize("auth", [("u", "p"), httpx.BasicAuth("u", "p"), _with_header])
def test_auth_is_what_httpx_takes(pulling, api, auth):
    started(pulling, api.url, auth=auth)
    assert api.asked[0].headers["authorization"] == "Basic dTpw"


def test_the_stats_add_up_to_the_frame(pulling, api):
    poller = started(pulling, api.url)
    poller.poll_now()
    api.answer = always(raw(500))
    poller.poll_now()
    stats, polls = poller.stats, pulling.observations.polls()
    assert (stats["polls"], stats["failed"], stats["wasted"]) == (3, 1, 1)
    assert stats["requests"] == polls["request_count"].sum() == 4
    assert stats["response_bytes"] == polls["response_bytes"].sum()
    assert stats["entities"] == 1
    assert stats["next_poll_at"] > stats["last_polled_at"]


@pytest.mark.parametrize("seed", range(3))
def test_the_shop_is_seen_as_it_is_whatever_its_api_does_wrong(tmp_path, seed):
    limits = Limits(attempts=6, backoff_seconds=0.002, max_backoff_seconds=0.01)
    faults = Faults(api_errors=0.3, rate_limit=None)
    with Shop(seed=seed, faults=faults) as shop, pulling_in(tmp_path, limits) as pulling:
        shop.advance(30)
        poller = started(
            pulling,
            shop.url + "orders",
            params={"per_page": 3},
            headers={"X-Api-Key": shop.api_key},
            version="version",
            entity_type="order",
        )
        for _ in range(10):
            shop.advance(3)
            poller.poll_now()
        shop.faults = Faults(rate_limit=None)
        poller.poll_now()
        truth = shop.truth[shop.truth["entity_type"] == "order"]
        newest = truth.groupby("entity_id").last()
        seen = pulling.observations.snapshots()
        kept = seen.groupby("entity_id").last()
        alive = newest[~newest["deleted"]]
        assert set(kept.index[~kept["deleted"].astype(bool)]) == set(alive.index)
        assert all(kept["state"][each] == alive["state"][each] for each in alive.index)
        happened = truth.set_index(["entity_id", "version"])["occurred_at"]
        for row in seen[~seen["deleted"]].itertuples():
            occurred = happened[(row.entity_id, int(row.version))]
            assert occurred <= row.polled_at
            assert not row.not_seen_at > occurred
    assert last(pulling)["complete"]
    assert states(pulling)
