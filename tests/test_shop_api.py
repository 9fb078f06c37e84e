"""The REST API, asked by a real client over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

from tests.shop_parts import all_pages, client
from webhooklab.clock import from_datetime
from webhooklab.demo import Faults, Shop
from webhooklab.demo.kinds import KINDS
from webhooklab.demo.life import Life
from webhooklab.demo.pages import entity_answer


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(seed=11) as shop:
        shop.advance(200)
        yield shop


@pytest.fixture
def api(shop: Shop) -> Iterator[httpx.Client]:
    with client(shop) as api:
        yield api


def living(shop: Shop, entity_type: str) -> list[dict[str, object]]:
    truth = shop.truth
    last = truth[truth.entity_type == entity_type].groupby("entity_id", sort=False).tail(1)
    return last[~last.deleted].sort_values("entity_id").state.tolist()


@pytest.mark.parametrize("plural", ["orders", "customers", "invoices"])
@pytest.mark.parametrize("per_page", [1, 7, 200])
def test_pages_cover_everything_exactly_once(
    shop: Shop, api: httpx.Client, plural: str, per_page: int
) -> None:
    pages = all_pages(api, f"{plural}?per_page={per_page}")
    assert all(len(page) == per_page for page in pages[:-1])
    assert 0 < len(pages[-1]) <= per_page
    states = sorted((state for page in pages for state in page), key=lambda state: state["id"])
    assert states == living(shop, plural.removesuffix("s"))


def test_what_is_created_and_deleted_meanwhile_moves_no_other_item() -> None:
    with Shop(seed=4, entities=("customer",)) as shop, client(shop) as api:
        shop.advance(120)
        before = {state["id"] for state in living(shop, "customer")}
        seen: list[str] = []
        url = "customers?per_page=3"
        while url:
            answer = api.get(url)
            seen += [state["id"] for state in answer.json()]
            shop.advance(2)
            url = answer.links.get("next", {}).get("url", "")
        after = {state["id"] for state in living(shop, "customer")}
    assert len(seen) == len(set(seen))
    assert before & after <= set(seen)
    assert before - after, "nothing was deleted meanwhile: the test shows nothing"


def test_one_entity_is_what_the_list_and_the_truth_say(shop: Shop, api: httpx.Client) -> None:
    for state in living(shop, "order")[:5]:
        assert api.get(f"orders/{state['id']}").json() == state


def test_if_none_match_gives_304_until_it_changes(shop: Shop, api: httpx.Client) -> None:
    for path in ("orders", "orders?per_page=3", f"orders/{living(shop, 'order')[0]['id']}"):
        first = api.get(path)
        again = api.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = api.get(path, headers={"If-None-Match": '"another"'})
        assert other.content == first.content
    etag = api.get("orders?per_page=200").headers["etag"]
    while shop.advance()[0].entity_type != "order":
        pass
    changed = api.get("orders?per_page=200", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_if_modified_since_gives_304_until_it_changes() -> None:
    with Shop(seed=1, entities=("order",)) as shop, client(shop) as api:
        change = shop.advance()[0]
        for path in ("orders", f"orders/{change.entity_id}"):
            modified = api.get(path).headers["last-modified"]
            assert parsedate_to_datetime(modified) == change.occurred_at.replace(microsecond=0)
            assert api.get(path, headers={"If-Modified-Since": modified}).status_code == 304
            hour_ago = change.occurred_at.astimezone(UTC) - timedelta(hours=1)
            earlier = format_datetime(hour_ago, usegmt=True)
            assert api.get(path, headers={"If-Modified-Since": earlier}).status_code == 200
            assert api.get(path, headers={"If-Modified-Since": "nonsense"}).status_code == 200


def test_if_none_match_outranks_if_modified_since() -> None:
    with Shop(seed=1, entities=("order",)) as shop, client(shop) as api:
        shop.advance()
        modified = api.get("orders").headers["last-modified"]
        both = {"If-Modified-Since": modified, "If-None-Match": '"another"'}
        assert api.get("orders", headers=both).status_code == 200


def test_two_changes_in_one_second_are_never_called_unmodified() -> None:
    second = from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
    life = Life(1, [kind for kind in KINDS if kind.name == "order"])
    first = life.advance(second)
    entity = life.collections["order"].entities[first.entity_id]
    held = entity_answer(entity)
    assert held.unmodified_since(held.last_modified or "")
    while entity.state["version"] == 1:
        life.advance(second + 500_000)
    present = entity_answer(entity)
    assert present.last_modified == held.last_modified
    assert not present.unmodified_since(held.last_modified or "")


def test_the_key_is_needed_and_may_come_in_two_headers(shop: Shop) -> None:
    for headers in ({"Authorization": f"bearer {shop.api_key}"}, {"X-Api-Key": shop.api_key}):
        assert httpx.get(shop.url + "orders", headers=headers).status_code == 200
    wrong = [{}, {"X-Api-Key": "wrong"}, {"X-Api-Key": ""}, {"Authorization": "Bearer"}]
    wrong += [{"Authorization": f"Basic {shop.api_key}"}, {"Authorization": shop.api_key}]
    for headers in wrong:
        answer = httpx.get(shop.url + "orders", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["type"] == "unauthorized"
        assert shop.api_key not in answer.text


def test_a_key_of_ones_own() -> None:
    with Shop(api_key="mine") as shop:
        assert shop.api_key == "mine"
        assert httpx.get(shop.url + "orders", headers={"X-Api-Key": "mine"}).json() == []


def test_the_index_names_the_collections_without_a_key(shop: Shop) -> None:
    index = httpx.get(shop.url).json()
    assert index == {name: shop.url + name for name in ("orders", "customers", "invoices")}


def test_unknown_and_deleted_are_404_in_json(shop: Shop, api: httpx.Client) -> None:
    truth = shop.truth
    deleted = truth[truth.deleted].entity_id.iloc[0]
    order = living(shop, "order")[0]["id"]
    paths = [f"customers/{deleted}", "orders/ord_none", f"customers/{order}", "cakes", "a/b/c/d"]
    for path in paths:
        answer = api.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["type"] == "not_found"


def test_other_errors_are_json_too(api: httpx.Client) -> None:
    assert api.post("orders").status_code == 405
    assert api.post("orders").headers["allow"] == "GET"
    for query in ("per_page=0", "per_page=201", "per_page=x", "after=-1", "after=" + "9" * 400):
        answer = api.get(f"orders?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["error"]["type"] == "bad_request"


def test_over_the_limit_is_429_with_retry_after() -> None:
    with Shop(faults=Faults(rate_limit=3)) as shop, client(shop) as api:
        assert httpx.get(shop.url + "orders").status_code == 401, "not counted"
        answers = [api.get("orders") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        remaining = [answer.headers["x-ratelimit-remaining"] for answer in answers]
        assert remaining == ["2", "1", "0", "0", "0"]
        assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert "retry-after" not in answers[2].headers
        assert answers[-1].json()["error"]["type"] == "rate_limited"
        shop.faults = Faults(rate_limit=None)
        assert "x-ratelimit-limit" not in api.get("orders").raise_for_status().headers


def test_the_limits_minute_goes_with_the_speed() -> None:
    with Shop(speed=60_000, faults=Faults(rate_limit=1)) as shop, client(shop) as api:
        statuses = [api.get("orders").status_code for _ in range(30)]
    assert statuses[0] == 200
    assert statuses.count(200) > 1


def test_api_errors_are_seeded() -> None:
    def statuses(seed: int, chance: float) -> list[int]:
        faults = Faults(api_errors=chance)
        with Shop(seed=seed, faults=faults) as shop, client(shop) as api:
            return [api.get("orders").status_code for _ in range(30)]

    assert statuses(1, 0.5) == statuses(1, 0.5)
    assert set(statuses(1, 0.5)) == {200, 500}
    assert set(statuses(1, 0.0)) == {200}
    assert set(statuses(1, 1.0)) == {500}
