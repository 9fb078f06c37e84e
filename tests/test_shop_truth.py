"""The comparison against what really happened in the Shop, all of it over real HTTP."""

import pandas as pd
import pytest

from tests.shop_world import FAST, SLOW, Expected, Thin, World, key_of
from webhooklab.demo import Faults

FLAGS = ["duplicate", "out_of_order", "stale", "delivery_count"]
MIXES = {
    "none": Faults(),
    "lost": Faults(lost=0.5),
    "duplicated": Faults(duplicated=0.4),
    "reordered": Faults(reordered=0.6),
    "delayed": Faults(delayed=0.5, delay_seconds=4),
    "api_errors": Faults(api_errors=0.5, lost=0.2),
    "rate_limit": Faults(rate_limit=4, lost=0.2),
    "all": Faults(
        lost=0.2, duplicated=0.2, reordered=0.3, delayed=0.2, delay_seconds=4, api_errors=0.2
    ),
}


def told(changes):
    """Each verdict, with its reason if it has one."""
    reason = changes.reason.astype(object).where(changes.reason.notna(), None)
    return {
        key: verdict if why is None else f"{verdict}: {why}"
        for key, verdict, why in zip(changes.index, changes.verdict, reason, strict=True)
    }


def check(world):
    """Every row, verdict, reason, flag and time is right; returns the rows."""
    changes, expected = world.changes(), Expected(world)
    assert told(changes) == expected.verdicts()
    rows = {(row.entity_id, row.version): row for row in changes.reset_index().itertuples()}
    for record in world.records():
        if key_of(record.change) in rows:
            _check_row(rows[key_of(record.change)], record.change, expected)
    return changes


def _check_row(row, change, expected):
    flags = expected.flags(change)
    assert {name: getattr(row, name) for name in FLAGS} == flags, f"{row} {change}"
    assert row.entity_type == change.entity_type
    assert row.event_count == min(flags["delivery_count"], 1)
    if flags["delivery_count"]:
        assert row.occurred_at == change.occurred_at
        assert row.push_lag == row.received_at - row.occurred_at
    if row.verdict == "both" and not change.deleted:
        assert row.mismatch == []
    else:
        assert row.mismatch is pd.NA


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mix", MIXES)
def test_every_verdict_and_flag_is_right(file, mix, seed):
    speed = SLOW if mix == "rate_limit" else FAST
    with World(file, seed=100 + seed, faults=MIXES[mix], speed=speed) as world:
        world.live(10 if mix == "lost" else 6)
        changes = check(world)
        assert len(changes) > 10
        if mix == "lost":
            assert (changes.verdict == "poll_only").any()
        if mix == "duplicated":
            assert [record for record in world.records() if record.duplicate]
        if mix == "reordered":
            late = {key_of(r.change) for r in world.records() if r.reordered}
            assert late == set(changes.index[changes.out_of_order.astype(bool)])
        if mix in ("api_errors", "rate_limit"):
            assert world.failed


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_missed_before_the_grace_is_over(file, seed):
    with World(file, seed=200 + seed, faults=Faults(lost=0.4)) as world:
        world.live(4)
        pending = {
            key: "pending" if verdict in ("poll_only", "unknown: nothing ever pushed") else verdict
            for key, verdict in Expected(world).verdicts().items()
        }
        assert told(world.changes(grace=30)) == pending


def test_deletions_and_what_lived_between_two_polls(tmp_path):
    seen = set()
    for seed in range(6):
        with World(
            tmp_path / f"{seed}.db", seed=300 + seed, faults=Faults(lost=0.3), kinds=("customer",)
        ) as world:
            world.live(5, most=16)
            changes = check(world)
            gone = {entity for entity, version in changes.index if version == "deleted"}
            shown = set(world.lab.snapshots.entity_id)
            seen |= {
                (verdict, entity in shown)
                for (entity, version), verdict in told(changes).items()
                if version == "deleted" or entity in gone - shown
            }
    assert seen >= {("both", True), ("poll_only", True), ("push_only", False)}
    assert seen & {("unknown: not polled", False), ("unknown: baseline", False)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fetch", [False, True])
def test_thin_payloads(file, fetch, seed):
    faults = Faults(lost=0.3, duplicated=0.2)
    with World(file, seed=400 + seed, faults=faults, payload="thin", fetch=fetch) as world:
        world.live(8, drain=True)
        changes = world.changes()
        assert told(changes) == Thin(world).verdicts()
        verdicts = changes.verdict.value_counts()
        assert verdicts["poll_only"]
        alive = changes[changes.index.get_level_values("version") != "deleted"]
        assert ("both" in set(alive.verdict)) == fetch
        assert alive[["out_of_order", "stale"]][alive.delivery_count > 0].isna().all(axis=None)
        lost = {key_of(r.change) for r in world.records() if r.lost}
        assert set(changes.index[changes.verdict == "poll_only"]) <= lost
