"""Simulated lives whose truth is known: verdicts are right, and no accusation is false."""

import pytest

from tests import comparison_parts as parts
from tests.comparison_oracle import World, judge
from tests.comparison_simulator import END, GRACE, Simulation
from webhooklab.comparison import compare


def comparison_of(world):
    snapshots = [{k: v for k, v in row.items() if k != "of"} for row in world.snapshots]
    return compare(
        parts.events(*world.events),
        parts.snapshots(*snapshots),
        polls=parts.polls(*world.polls),
        listening=parts.listening(*world.spans),
        grace=GRACE,
        now=parts.at(END + GRACE),
    )


@pytest.mark.parametrize("block", range(12))
def test_rule_09_never_a_false_accusation_and_all_that_can_be_told(block):
    accused = told = 0
    for seed in range(20 * block, 20 * block + 20):
        world = Simulation(seed)
        changes = comparison_of(world).changes
        accused += _no_false_accusation(world, changes, seed)
        if world.kind != "none":
            told += _all_is_right(world, changes, seed)
            _as_the_oracle_says(world, changes, seed)
    assert accused
    assert told


def _no_false_accusation(world, changes, seed):
    missed = changes[changes["verdict"] == "poll_only"]
    for row in missed.itertuples():
        change = _change_of(world, row)
        assert change.lost, f"seed {seed}: {row.entity_id} {row.version} was sent {change.sent}"
        assert not change.reached
    return len(missed)


def _change_of(world, row):
    """The change that a row is about; without versions, the one that its poll showed."""
    return next(
        each["of"]
        for each in world.snapshots
        if each["entity_id"] == row.entity_id and parts.at(each["polled_at"]) == row.polled_at
    )


def _all_is_right(world, changes, seed):
    seen = {row["entity_id"] for row in world.snapshots}
    verdicts = {(row.entity_id, row.version): row.verdict for row in changes.itertuples()}
    certain = 0
    for change in world.truth:
        key = change.entity_id, "deleted" if change.deleted else change.version
        found = verdicts.get(key)
        if change.reached and change.shown:
            assert found == "both", f"seed {seed}: {key} is {found}"
        elif world.certain(change, seen):
            certain += 1
            assert found == "poll_only", f"seed {seed}: {key} is {found}"
        if found == "both":
            assert change.shown, f"seed {seed}: {key}"
        if found == "push_only":
            assert change.reached, f"seed {seed}: {key}"
            assert not change.shown, f"seed {seed}: {key}"
    return certain


JUDGED = ["verdict", "reason", "delivery_count", "event_count"]
JUDGED += ["duplicate", "out_of_order", "stale"]


def _as_the_oracle_says(world, changes, seed):
    """Every row, verdict, reason and flag."""
    events = [
        {"seq": seq, "event_id": None, **row, "deletion": row["event_type"].endswith("deleted")}
        for seq, row in enumerate(world.events, 1)
    ]
    polled = [{"poller": "orders", **row} for row in world.snapshots]
    counting = {row["entity_id"] for row in events if row["verified"] != "invalid"}
    if not counting & {row["entity_id"] for row in polled}:
        assert changes.empty
        return
    expected = judge(events, polled, [], spans=world.spans, grace=GRACE, now=END + GRACE)
    found = {}
    for row in changes.itertuples():
        own = [[r for r in rows if r["entity_id"] == row.entity_id] for rows in (events, polled)]
        key = row.version if row.version == "deleted" else World(*own, []).read(row.version)
        found[row.entity_id, key] = {name: parts.plain(getattr(row, name)) for name in JUDGED}
    wanted = {key: {name: row[name] for name in JUDGED} for key, row in expected.items()}
    assert found == wanted, f"seed {seed}"
