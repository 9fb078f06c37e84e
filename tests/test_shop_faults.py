"""Each fault is seen in what arrives, and `truth` says so."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from tests.shop_parts import Answer, Receiver, Request
from webhooklab.demo import Faults, Shop, ShopArgumentError
from webhooklab.demo.defaults import MAX_HELD_CHANGES

FLAGS = ["lost", "duplicate", "reordered", "delayed"]


def lived(receiver: Receiver, faults: Faults, count: int = 60, seed: int = 5) -> pd.DataFrame:
    with Shop(seed=seed, speed=100, faults=faults, webhook_url=receiver.url) as shop:
        shop.advance(count)
        shop.drain()
        return shop.truth


def arrivals(receiver: Receiver) -> Counter[str]:
    return Counter(request.event_id for request in receiver.requests)


def inversions(receiver: Receiver, truth: pd.DataFrame) -> set[str]:
    """The events that came when a newer version of their entity had come before."""
    found = set()
    for entity_id in truth.entity_id.unique():
        newest = 0
        for request in receiver.requests:
            body = request.json()
            if body["data"]["id"] == entity_id:
                if body["data"]["version"] < newest:
                    found.add(request.event_id)
                newest = max(newest, body["data"]["version"])
    return found


def test_lost_ones_never_arrive() -> None:
    with Receiver() as receiver:
        truth = lived(receiver, Faults(lost=0.3))
    assert 0 < truth.lost.sum() < 60
    assert set(arrivals(receiver)) == set(truth[~truth.lost].event_id)
    lost = truth[truth.lost]
    assert (lost.outcome == "lost").all()
    assert (lost.attempts == 0).all()
    assert lost.delivered_at.isna().all()


def test_duplicated_ones_arrive_twice_with_one_id() -> None:
    with Receiver() as receiver:
        truth = lived(receiver, Faults(duplicated=0.3))
    counts = truth.event_id.map(arrivals(receiver))
    assert 0 < truth.duplicate.sum() < 60
    assert (counts == truth.duplicate.map({True: 2, False: 1})).all()
    assert (truth.attempts == counts).all()


def test_reordered_ones_arrive_after_a_newer_version() -> None:
    with Receiver() as receiver:
        truth = lived(receiver, Faults(reordered=0.4), count=150)
    reordered = set(truth[truth.reordered].event_id)
    assert len(reordered) > 5
    assert inversions(receiver, truth) == reordered
    assert set(arrivals(receiver).values()) == {1}
    assert (truth.outcome == "delivered").all()


def test_always_reordered_swaps_neighbours() -> None:
    with Receiver() as receiver:
        truth = lived(receiver, Faults(reordered=1.0), count=150)
        longest = str(truth.entity_id.mode()[0])
        assert receiver.versions(longest)[:4] == [2, 1, 4, 3]


def test_what_is_to_be_overtaken_goes_when_the_shop_is_quiet() -> None:
    with Receiver() as receiver:
        faults = Faults(reordered=1.0)
        with Shop(seed=5, speed=100, faults=faults, webhook_url=receiver.url) as shop:
            shop.advance()
            receiver.wait(1)
            shop.drain()
            assert shop.truth.reordered.tolist() == [False]


def test_what_is_not_overtaken_within_fifty_changes_goes_anyway() -> None:
    faults, speed = Faults(reordered=1.0), 0.001  # so slow that it never counts as quiet
    with Receiver() as receiver, Shop(seed=5, speed=speed, faults=faults) as shop:
        shop.send_to(receiver.url)
        shop.advance(300)
        shop.drain(timeout=100)
        truth = shop.truth
    numbers = pd.Series(truth.index, index=truth.index)
    until_next = numbers.groupby(truth.entity_id).shift(-1) - numbers
    assert (until_next > MAX_HELD_CHANGES).any(), "the seed shows nothing"
    assert until_next[truth.reordered].max() <= MAX_HELD_CHANGES
    assert inversions(receiver, truth) == set(truth[truth.reordered].event_id)
    assert len(receiver.requests) == 300


def test_delayed_ones_come_late() -> None:
    faults = Faults(delayed=0.3, delay_seconds=30.0)
    with Receiver() as receiver:
        truth = lived(receiver, faults)  # at speed 100: 0.3 s
    lag = (truth.delivered_at - truth.occurred_at).dt.total_seconds()
    assert 0 < truth.delayed.sum() < 60
    assert (lag[truth.delayed] >= 0.3).all()
    assert lag[~truth.delayed].min() < 0.3
    assert len(receiver.requests) == 60


def test_a_delayed_duplicate_is_late_both_times() -> None:
    with Receiver() as receiver:
        truth = lived(receiver, Faults(delayed=1.0, duplicated=1.0, delay_seconds=20.0), count=3)
    assert set(arrivals(receiver).values()) == {2}
    assert ((truth.delivered_at - truth.occurred_at).dt.total_seconds() >= 0.2).all()


def test_the_same_seed_gives_the_same_faults() -> None:
    faults = Faults(lost=0.2, duplicated=0.2, reordered=0.2, delayed=0.2)
    with Receiver() as one, Receiver() as two, Receiver() as three:
        first, second = lived(one, faults), lived(two, faults)
        other = lived(three, faults, seed=6)
    pd.testing.assert_frame_equal(first[["event_id", *FLAGS]], second[["event_id", *FLAGS]])
    assert arrivals(one) == arrivals(two)
    assert not first[FLAGS].equals(other[FLAGS])


def test_one_chance_does_not_shift_another() -> None:
    with Receiver() as one, Receiver() as two:
        first = lived(one, Faults(lost=0.2))
        second = lived(two, Faults(lost=0.2, duplicated=0.5, delayed=0.5, delay_seconds=0.0))
    assert first.lost.tolist() == second.lost.tolist()


def test_faults_may_change_while_it_lives() -> None:
    with Receiver() as receiver, Shop(seed=1, speed=100, webhook_url=receiver.url) as shop:
        shop.advance(10)
        shop.faults = Faults(lost=1.0)
        shop.advance(10)
        shop.faults = Faults()
        shop.advance(10)
        shop.drain()
        assert shop.truth.lost.tolist() == [False] * 10 + [True] * 10 + [False] * 10


def test_a_retried_old_payload_comes_after_a_newer_one() -> None:
    changed: set[str] = set()

    def answer(request: Request, _count: int) -> Answer:
        """Refuse an entity's first version until its second has been here."""
        data = request.json()["data"]
        if data["version"] > 1:
            changed.add(data["id"])
        return (200 if data["id"] in changed else 500), {}

    with Receiver(answer) as receiver, Shop(seed=5, speed=5, webhook_url=receiver.url) as shop:
        shop.advance(20)
        shop.drain()
        truth = shop.truth
    retried = truth[(truth.version == 1) & truth.entity_id.isin(changed)]
    assert len(retried) > 1
    assert (retried.attempts > 1).all()
    assert (retried.outcome == "delivered").all()
    assert not retried.reordered.any()
    assert set(retried.event_id) <= inversions(receiver, truth)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lost": 1.1},
        {"duplicated": -0.1},
        {"reordered": float("nan")},
        {"delay_seconds": -1.0},
        {"rate_limit": 0},
    ],
)
def test_impossible_faults_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ShopArgumentError, match=next(iter(wrong))):
        Faults(**wrong)  # type: ignore[arg-type]
