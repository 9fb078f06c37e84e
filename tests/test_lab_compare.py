"""`lab.compare`: both sides of a capture file, while things go on, and never too early."""

import contextlib
import sqlite3
import threading
import time

import pandas as pd
import pytest

from tests import comparison_parts as parts
from tests.comparison_world import JSON, World, verdicts
from tests.processes import LabProcess
from tests.raw_http import Client, request
from tests.waiting import until
from webhooklab import Lab, compare, listened
from webhooklab.errors import ClosedError, MappingError

ALL_BOTH = {("1", "1"): "both", ("1", "2"): "both"}
ONE_MISSED = {**ALL_BOTH, ("1", "3"): "poll_only"}


@pytest.fixture
def world(file):
    with World(file) as made:
        yield made


def test_a_missed_webhook_is_told(world):
    world.missed()
    assert world.verdicts() == ONE_MISSED
    comparison = world.lab.compare(grace=0)
    assert str(comparison).startswith("1 webhook of 3 changes never came")
    assert list(comparison.missed.entity_id) == ["1"]
    assert comparison.summary[["polls", "deliveries", "poll_only"]].tolist() == [4, 2, 1]


def test_it_may_still_come_within_the_grace(world):
    world.missed()
    assert world.verdicts(grace=30) == {**ALL_BOTH, ("1", "3"): "pending"}
    assert verdicts(world.lab.compare().changes) == {**ALL_BOTH, ("1", "3"): "pending"}
    polled = world.lab.snapshots.polled_at.max()
    grace = 0.2
    until(lambda: world.verdicts(grace=grace) == ONE_MISSED)
    assert pd.Timestamp.now("UTC") - polled >= pd.Timedelta(seconds=grace)
    world.push(world.states["1"])
    assert world.verdicts(grace=30) == {**ALL_BOTH, ("1", "3"): "both"}, "and comes late"


def test_a_grace_that_is_none(world):
    with pytest.raises(ValueError, match="grace=-1"):
        world.lab.compare(grace=-1)


# Another mapping for one comparison


def test_entity_id_by_jmespath_or_a_function(world):
    world.lab.map()
    world.missed()
    assert world.verdicts() == {}
    expected = dict.fromkeys(ALL_BOTH, "both")
    by_path = world.verdicts(entity_id="id", version="version")
    assert by_path == {**expected, ("1", "3"): "poll_only"}
    by_function = world.verdicts(entity_id=lambda d: d["id"], version=lambda d: d["version"])
    assert by_function == by_path
    assert world.lab.events.entity_id.isna().all(), "nothing of it stays"
    assert world.verdicts() == {}


def test_an_override_counts_for_all_paths_and_leaves_the_rest(world):
    world.lab.map(path="/in", entity_id="other", version="version", state="nothing")
    world.missed()
    world.push({"other": "1", "id": "9", "version": 3}, path="/in")
    assert world.verdicts() == {**ALL_BOTH, ("1", "3"): "both"}
    world.poll()
    assert world.verdicts(entity_id="id")["9", "3"] == "unknown: not polled"
    assert world.lab[-1].entity_id == "1"


def test_version_alone(world):
    world.missed()
    changed = world.verdicts(version="to_number(status || '7')")
    assert ("1", "7") in changed
    assert world.verdicts() == ONE_MISSED


def test_the_function_gets_a_delivery(world):
    world.missed()
    seen = []
    world.lab.compare(entity_id=lambda d: seen.append((d.method, d.path, d.json()["version"])))
    assert seen == [("POST", "/", 1), ("POST", "/", 2)]


@pytest.mark.parametrize(
    "wrong",
    ["@", "keys(@)", "length(version)", "missing", lambda d: d["no"], lambda d: [d], "null"],
)
def test_what_finds_no_id_leaves_no_entity(world, wrong):
    world.missed()
    comparison = world.lab.compare(entity_id=wrong, grace=0)
    assert comparison.changes.empty
    assert comparison.summary["without_entity"] == 2
    assert str(comparison).startswith("No verdicts: no ")


@pytest.mark.parametrize("wrong", ["@", lambda d: d["no"], "null"])
def test_what_finds_no_version_leaves_none(world, wrong):
    world.missed()
    found = world.verdicts(version=wrong, state="nothing")
    assert found == {("1", "2"): "unknown: thin", ("1", "3"): "poll_only"}


def test_what_is_not_jmespath(world):
    for name in ("entity_id", "version", "state"):
        with pytest.raises(MappingError, match=name):
            world.lab.compare(**{name: "]["})


def test_the_events_of_a_batch_are_mapped_one_by_one(world):
    world.missed()
    events = [
        {"specversion": "1.0", "id": f"e{n}", "source": "/s", "type": "t",
         "data": {"order": "1", "number": n}}
        for n in (3, 4)
    ]  # fmt: skip
    world.push(events, kind="application/cloudevents-batch+json")
    found = world.verdicts(entity_id="data.order || id", version="data.number || version")
    assert found == {**ALL_BOTH, ("1", "3"): "both", ("1", "4"): "pending"}
    comparison = world.lab.compare(entity_id="data.order || id", version="data.number || version")
    assert comparison.summary["events"] == 4
    assert comparison.summary["deliveries"] == 3


# States


def test_without_versions_states_are_compared(file):
    with World(file, version=None) as world:
        world.lab.map(entity_id="id")
        world.missed()
        changes = world.lab.compare(grace=0).changes
        assert changes.verdict.tolist() == ["both", "both", "poll_only"]


def wrapped(world, state):
    world.push({"meta": {"id": "1", "noise": 1}, "payload": {"now": state}}, path="/in")


@pytest.mark.parametrize("how", ["map", "override", "function", "mapped path"])
def test_where_the_state_is(file, how):
    with World(file, version=None) as world:
        place = "payload.now"
        named = {"state": place} if how in ("map", "mapped path") else {}
        world.lab.map(path="/in" if how == "mapped path" else "/", entity_id="meta.id", **named)
        if how == "function":
            place = lambda delivery: delivery.json()["payload"]["now"]  # noqa: E731
        options = {"state": place} if how in ("override", "function") else {}
        for status in ("a", "b"):
            state = world.change(push=False, status=status)
            wrapped(world, state)
            world.poll()
        changes = world.lab.compare(grace=0, **options).changes
        assert changes.verdict.tolist() == ["both", "both"]
        assert changes.mismatch.tolist() == [[], []]
        if options:
            plain = world.lab.compare(grace=0).changes
            assert plain.verdict.tolist() != ["both", "both"], "it has to be said where it is"


def test_a_state_that_is_sought_and_not_found_is_not_found_elsewhere(world):
    world.missed()
    assert world.lab.compare(grace=0).changes.mismatch.tolist()[:2] == [[], []]
    changes = world.lab.compare(grace=0, state="nowhere").changes
    assert changes.mismatch.isna().all()
    assert verdicts(changes) == ONE_MISSED, "versions tell all the same"


def test_a_payload_that_says_something_else(world):
    world.missed()
    world.push({**world.states["1"], "status": "other"})
    changes = world.lab.compare(grace=0).changes
    assert changes.mismatch.tolist() == [[], [], ["status"]]


# What is not asked for is not read


def test_bodies_and_states_stay_in_the_file(world, file):
    world.missed()
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE snapshots SET state = 'not JSON', changed_fields = 'neither'")
        other.execute("UPDATE raws SET body = 'not JSON'")
    assert world.verdicts() == ONE_MISSED
    with pytest.raises(ValueError, match="line 1"):
        list(world.lab.compare(grace=0).changes.mismatch)


def test_the_events_of_a_batch_have_their_own_bodies(file):
    with World(file, version=None) as world:
        world.lab.map(entity_id="id")
        event = {"specversion": "1.0", "source": "/s", "type": "order.changed"}
        for status in ("a", "b"):
            state = world.change(push=False, status=status)
            others = [{"id": "2", "status": "x"}, state]
            batch = [{**event, "id": f"{status}{n}", "data": d} for n, d in enumerate(others)]
            world.push(batch, kind="application/cloudevents-batch+json")
            world.poll()
        changes = world.lab.compare(grace=0, entity_id="data.id").changes.query("entity_id == '1'")
        assert changes.verdict.tolist() == ["both", "both"]
        assert changes.mismatch.tolist() == [[], []]


def test_what_was_deleted_since_is_not_there(world):
    world.missed()
    comparison = world.lab.compare(grace=0)
    cells = comparison.changes.mismatch
    world.lab.delete(1)
    assert cells.isna().tolist() == [True, False, True]


# What takes part


def test_our_replays_do_not_take_part(world):
    world.missed()
    for name in ("Webhooklab-Replay", "webhooklab-replay-of", "WEBHOOKLAB-REPLAY"):
        world.push(world.states["1"], f"{name}: 1")
    assert world.verdicts() == ONE_MISSED
    assert world.lab.compare().summary["our_replays"] == 3


@pytest.mark.parametrize("header", ["User-Agent: webhooklab-replay", 'X: ["webhooklab-replay"]'])
def test_who_only_speaks_of_replays_takes_part(world, header):
    world.missed()
    world.push(world.states["1"], header)
    assert world.verdicts()["1", "3"] == "both"
    assert world.lab.compare().summary["our_replays"] == 0


# When we listened


def test_a_refused_request_may_have_been_the_webhook(world):
    world.change()
    world.poll()
    world.change()
    world.poll()
    world.change(push=False)
    with Client(world.lab.url) as client:
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf").finish_sending().rest()
    until(lambda: len(world.lab.log))
    world.poll()
    assert world.verdicts()["1", "3"] == "unknown: not listening"


def test_a_deleted_delivery_may_have_been_the_webhook(world):
    for _ in range(3):
        world.change()
        world.poll()
    assert world.verdicts()["1", "3"] == "both"
    world.lab.delete(3)
    assert world.verdicts()["1", "3"] == "unknown: not listening"


def test_a_restart_is_a_gap(file):
    with World(file) as world:
        world.change()
        world.poll()
        world.change()
        world.poll()
        world.change(push=False)
        world.lab.close()
        world.lab, world.poller = Lab(file), None
        world.poll()
        assert world.verdicts() == {**ALL_BOTH, ("1", "3"): "unknown: not listening"}


# Up to when it tells


def test_a_request_that_is_still_coming_is_waited_for(world):
    world.missed()
    world.change(push=False)
    body = b'{"id": "1", "version": 4}'
    sent = request(headers=(f"Content-Type: {JSON}", f"Content-Length: {len(body)}")) + body[:5]
    with Client(world.lab.url) as client:
        client.send(sent)
        until(lambda: world.lab._parts.server._listener.receiving_since)
        world.poll()
        assert world.verdicts()["1", "4"] == "pending"
        assert client.ask(body[5:]).status == 200
    assert world.verdicts()["1", "4"] == "both"


@pytest.mark.parametrize("deleting", [False, True])
def test_nothing_comes_too_early_while_both_sides_go_on(file, deleting):
    """A state is shown when its webhook was answered, and not before: none is ever missed."""
    with World(file, every=0.005) as world:
        over = threading.Event()

        def live(entity):
            while not over.is_set():
                world.change(entity)
                if deleting:
                    time.sleep(0.02)
                    world.lab.delete(world.lab.head)

        living = [threading.Thread(target=live, args=(str(n),)) for n in range(3)]
        for each in living:
            each.start()
        world.poll()
        compared, deadline = 0, time.monotonic() + 2
        try:
            while time.monotonic() < deadline or compared <= 5:  # however busy the machine is
                found = world.lab.compare(grace=0).changes.verdict.value_counts()
                assert "poll_only" not in found, found
                compared += 1
        finally:
            over.set()
            for each in living:
                each.join()
        world.poll()
        final = world.lab.compare(grace=0).summary
        assert compared > 5
        assert deleting or final["both"] > 10
        assert final["poll_only"] == 0


@pytest.mark.parametrize("what", ["comes", "is deleted"])
@pytest.mark.parametrize("read", ["told_until", "light", "polls", "evidence", "listened"])
def test_whatever_happens_between_two_reads(world, monkeypatch, read, what):
    for _ in range(3):
        world.change()
        world.poll()
    parts = world.lab._parts
    owners = {
        "evidence": parts.views,
        **dict.fromkeys(["light", "polls"], parts.pulling.observations),
    }
    owner = owners.get(read, listened)
    first = getattr(owner, read)

    def read_after(*arguments):
        if what == "comes":
            world.change()
            world.poll()
        else:
            world.lab.delete(3)
        return first(*arguments)

    monkeypatch.setattr(owner, read, read_after)
    found = world.verdicts()
    assert "poll_only" not in found.values()
    if what == "is deleted":
        assert found["1", "3"] in ("both", "unknown: not listening")


# Who compares


def test_a_closed_lab_compares(file):
    with World(file) as world:
        world.missed()
        world.verdicts()
    assert world.verdicts() == ONE_MISSED
    assert world.verdicts(grace=30) == {**ALL_BOTH, ("1", "3"): "pending"}
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        for table, name in (
            *(("listening", "started_at"), ("listening", "stopped_at"), ("polls", "requested_at")),
            *(("polls", "polled_at"), ("snapshots", "not_seen_at"), ("snapshots", "polled_at")),
            *(("deliveries", "received_at"), ("deliveries", "stored_at")),
        ):
            other.execute(f"UPDATE {table} SET {name} = {name} - 60000000")
        other.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
    later = world.verdicts(grace=30)
    assert later == {**ALL_BOTH, ("1", "3"): "unknown: not listening"}, "nobody waits for it"
    with pytest.raises(ClosedError):
        world.lab.compare(grace=0).missed.recover()


_OWNER = """
lab.map(entity_id="id", version="version")
poller = lab.poll({url!r}, every=3600, version="version", name="orders")
"""


def test_an_attached_lab_compares(file):
    with World(file) as world:
        world.lab.close()
        with LabProcess(file) as owner:

            def asks(code):
                owner.say(f"{code}; print('true', flush=True)")
                assert owner.hear() is True

            for line in _OWNER.format(url=world.api.url).strip().splitlines():
                asks(line)
            with pytest.warns(UserWarning, match="attached"):
                world.lab = Lab(file)
            asks("poller.poll_now()")
            for push in (True, True, False):
                world.change(push=push)
                asks("poller.poll_now()")
            assert world.verdicts()["1", "3"] == "pending", "until the listener's next heartbeat"
            asks("lab._parts.server.heartbeat.beat()")
            assert world.verdicts() == {("1", "1"): "unknown: nothing ever pushed"} | ONE_MISSED
            recovered = world.lab.compare(grace=0).missed.recover()
            assert recovered.source.tolist() == ["recovered"]
            owner.say("print(json.dumps(len(lab)), flush=True)")
            assert owner.hear() == 3


# Too little to compare


def test_nothing_is_stored_yet(lab):
    comparison = lab.compare()
    assert comparison.changes.empty
    assert len(comparison.missed) == len(comparison.missed.recover()) == 0
    assert str(comparison).startswith("No verdicts: no ")
    assert comparison.summary["changes"] == 0
    assert (comparison.at_a_glance.loc["efficiency"] == "not measured").all()
    assert len(comparison.what_if()) == 5
    assert comparison._repr_html_()


def test_events_without_polls(world):
    world.change()
    comparison = world.lab.compare()
    assert str(comparison).startswith("No verdicts: no poll has seen an entity yet.")
    assert comparison.at_a_glance.loc["efficiency", "API (pull)"] == "not measured"


@pytest.mark.parametrize(
    ("poll", "said"),
    [
        ({"status": 404}, "answered 404"),
        ({"status": None, "error": "the connection was refused"}, "connection was refused"),
        ({"status": 200}, "items="),
    ],
)
def test_polls_that_saw_nothing_say_why(poll, said):
    pushed = parts.events({"received_at": 1, "version": "1"})
    asked = parts.polls({"requested_at": 2, "error": None, **poll})
    assert said in str(compare(pushed, parts.snapshots(), polls=asked))


def test_polls_without_events(world):
    world.change(push=False)
    world.poll()
    world.change(push=False)
    world.poll()
    assert str(world.lab.compare()).startswith("No verdicts: no ")


def test_ids_that_do_not_meet(world):
    world.missed()
    world.states = {"1296269": {"id": 1296269, "version": 1}}
    found = world.lab.compare(entity_id=lambda d: f"gid/{d['id']}")
    assert "Events look like 'gid/1', polls like '1'" in str(found)


# One entity's life


def test_explain(world):
    world.missed()
    told = world.lab.explain(1, grace=0)
    assert told.sentence.startswith("1 changed 3 times: version 1 was pushed at ")
    assert "before a poll showed it; version 3 was first seen by a poll at " in told.sentence
    assert told.sentence.endswith(
        "and no webhook for it ever reached us although we were listening."
    )
    what = told.moments.what.tolist()
    assert what == ["pushed", "polled", "pushed", "polled", "polled"]
    assert told.line.startswith("1: pushed v1 20")
    assert "(seq 2, answered 200) → polled v2 +" in told.line
    assert str(told) == repr(told) == f"{told.line}\n{told.sentence}"
    assert "its webhook may still come" in world.lab.explain("1").sentence, "the grace is 30 s"


def test_explain_what_is_not_known(world):
    world.missed()
    told = world.lab.explain("<b>2</b>")
    assert "no delivery, no poll and no fetch names it" in told.sentence
    assert "<b>" not in told._repr_html_()


def test_explain_what_came_in_odd_ways(world):
    world.missed()
    world.push(world.states["1"], "Webhooklab-Replay: 1")
    world.lab.compare(grace=0).missed.recover()
    what = world.lab.explain("1").moments.what.tolist()
    assert what[-2:] == ["replayed by us", "recovered by us"]
