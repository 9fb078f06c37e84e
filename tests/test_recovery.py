"""`.missed.recover()`: deliveries made from what polls saw, kept apart from real ones."""

import json

import pytest

from tests.api_parts import Api, always, shown
from tests.comparison_world import World
from tests.raw_server import raw
from tests.waiting import until
from webhooklab import compare, read
from webhooklab.errors import ClosedError, RecoveryError


@pytest.fixture
def world(file):
    with World(file, provider="shop", entity_type="order") as made:
        made.lab.map(entity_id="id", version="version", event_type="'order.changed'")
        made.missed()
        yield made


def recovered(world):
    return world.lab.compare(grace=0).missed.recover()


def test_a_delivery_is_made_from_the_polled_state(world):
    (made,) = recovered(world).itertuples()
    assert (made.source, made.method, made.path) == ("recovered", "POST", "/recovered")
    assert json.loads(made.body) == {"id": "1", "version": 3, "status": "unsaid"}
    assert json.loads(made.headers_json) == [
        ["Content-Type", "application/json"],
        ["Webhooklab-Recovered", "changed"],
    ]
    assert (made.provider, made.entity_type, made.entity_id) == ("shop", "order", "1")
    assert (made.version, made.event_id) == ("3", "recovered:shop:order:1:3")
    assert world.lab[-1].json() == world.states["1"]


def test_what_nobody_knows_is_not_invented(world):
    made = recovered(world).iloc[0]
    for name in ("event_type", "occurred_at", "status", "remote", "duplicate_of"):
        assert made.isna()[name], name
    assert made.verified == "unchecked"


def test_recovering_again_makes_nothing_new(world):
    comparison = world.lab.compare(grace=0)
    first = comparison.missed.recover()
    assert comparison.missed.recover().index.tolist() == first.index.tolist()
    assert recovered(world).index.tolist() == first.index.tolist()
    assert len(world.lab) == 3
    world.change(push=False)
    world.poll()
    assert recovered(world).version.tolist() == ["3", "4"]
    assert len(world.lab) == 4


def test_a_restart_does_not_make_them_again(world, file):
    first = recovered(world)
    world.lab.close()
    with World(file) as again:
        found = again.lab.compare(grace=0).missed
        assert found.recover().index.tolist() == first.index.tolist()


def test_it_is_kept_apart_in_every_comparison(world):
    before = world.lab.compare(grace=0)
    recovered(world)
    world.change()
    world.poll()
    after = world.lab.compare(grace=0)
    assert world.verdicts()["1", "3"] == "poll_only"
    assert after.summary["our_replays"] == 1
    assert after.summary["deliveries"] == before.summary["deliveries"] + 1
    assert after.changes.out_of_order.sum() == after.changes.duplicate.sum() == 0
    plain = compare(
        world.lab.events, world.lab.snapshots, listening=world.lab.listened, grace=0
    ).changes
    assert plain.verdict.tolist() == after.changes.verdict.tolist()


def test_a_deletion_has_the_last_state(world):
    last = world.states.pop("1")
    world.poll()
    made = recovered(world)
    assert made.version.tolist() == ["3", "deleted"]
    gone = made.iloc[1]
    assert json.loads(gone.body) == last
    assert ["Webhooklab-Recovered", "deleted"] in json.loads(gone.headers_json)
    assert gone.event_id == "recovered:shop:order:1:deleted"


def test_without_versions_each_run_is_made(file):
    with World(file, version=None) as world:
        world.lab.map(entity_id="id")
        for status, push in (("a", True), ("b", True), ("c", False), ("b", False)):
            world.states["1"] = {"id": "1", "status": status}
            if push:
                world.push(world.states["1"])
            world.poll()
        made = recovered(world)
        assert [json.loads(body)["status"] for body in made.body] == ["c", "b"]
        assert made.event_id.nunique() == 2
        assert made.version.isna().all()
        assert recovered(world).index.tolist() == made.index.tolist()


def test_the_right_one_of_two_with_the_same_id(file):
    with World(file, entity_type="order") as world:
        world.lab.map(entity_id="id", version="version", entity_type="type || 'order'")
        world.missed()
        states = {("customer", v): {"id": "1", "version": v, "name": "Ada"} for v in (1, 2, 3)}
        with Api(lambda _: shown([states["customer", world.number]])) as customers:
            for world.number in (1, 2, 3):
                if world.number < 3:
                    world.push({"type": "customer", **states["customer", world.number]})
                poller = world.lab.poll(
                    customers.url, every=3600, version="version", entity_type="customer"
                )
                poller.poll_now()
        made = recovered(world)
        bodies = [json.loads(body) for body in made.body]
        assert sorted(body.get("name", "order") for body in bodies) == ["Ada", "order"]
        assert [b.get("name") == "Ada" for b in bodies] == (made.entity_type == "customer").tolist()


def test_another_mapping_changes_nothing_of_it(world):
    made = recovered(world)
    world.lab.map(entity_id="'other'", version="status", event_type="'other'")
    assert world.lab.events.entity_id.tolist() == ["other", "other", "1"]
    again = world.lab.events.loc[made.index]
    assert again.version.tolist() == ["3"]
    assert again.event_type.isna().all()
    assert again.source.tolist() == ["recovered"]


def test_nothing_is_fetched_for_it(world):
    with Api(always(shown({"id": "1"}))) as truth:
        fetcher = world.lab.fetch_related(truth.url + "orders/{id}")
        recovered(world)
        world.change()
        until(lambda: truth.asked)
        fetcher.drain()
        assert world.lab.fetches.seq.tolist() == [4]
        assert len(truth.asked) == 1


def test_exports_carry_it(world, tmp_path):
    made = recovered(world)
    for name in ("all.csv", "all.jsonl", "all.parquet"):
        back = read(world.lab.export(tmp_path / name)).loc[made.index]
        assert back.source.tolist() == ["recovered"]
        assert [bytes(body) for body in back.body] == made.body.tolist()


def test_it_can_be_deleted_and_made_again(world):
    first = recovered(world)
    world.lab.delete(first.index)
    assert recovered(world).index.tolist() == [4]


def test_it_makes_no_hole_that_matters_when_nothing_was_missed(world):
    world.push(world.states["1"])
    assert len(recovered(world)) == 0
    assert len(world.lab) == 3


def test_a_closed_lab_says_so(world):
    comparison = world.lab.compare(grace=0)
    world.lab.close()
    with pytest.raises(ClosedError, match="closed"):
        comparison.missed.recover()


def test_states_that_are_gone_are_not_made_up(world):
    comparison = world.lab.compare(grace=0)
    world.lab.clear()
    with pytest.raises(RecoveryError, match="has been deleted from the capture file"):
        comparison.missed.recover()
    assert len(world.lab) == 0


def test_frames_alone_have_no_lab(world):
    plain = compare(world.lab.events, world.lab.snapshots, listening=world.lab.listened, grace=0)
    assert len(plain.missed) == 1
    with pytest.raises(ValueError, match=r"lab\.compare"):
        plain.missed.recover()


def test_a_poll_that_finds_it_gone_is_no_failed_poll(file):
    with World(file) as world:
        single = {"id": "1", "version": 1}
        world.api.answer = lambda _: shown(single) if single else raw(404)
        world.push({**single})
        world.poll()
        single["version"] = 2
        world.push({**single})
        world.poll()
        single.clear()
        for _ in range(2):
            world.poll()
        assert world.verdicts()["1", "deleted"] == "poll_only"
        summary = world.lab.compare(grace=0).summary
        assert (summary["polls"], summary["failed_polls"], summary["wasted_polls"]) == (5, 0, 2)
        (made,) = recovered(world).itertuples()
        assert json.loads(made.body) == {"id": "1", "version": 2}
