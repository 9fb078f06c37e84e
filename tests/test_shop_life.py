"""The simulation: seeded, legal, and independent of what happens to its webhooks."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pandas as pd
import pytest

from tests.shop_parts import Receiver
from webhooklab.demo import Change, Faults, Shop, ShopArgumentError
from webhooklab.demo.kinds import KINDS, kinds_named
from webhooklab.demo.life import Life

TIMES = {"created_at", "updated_at"}


def without_times(changes: list[Change]) -> list[object]:
    def timeless(change: Change) -> object:
        state = {name: value for name, value in change.state.items() if name not in TIMES}
        return change.number, change.event_id, change.event_type, change.entity_id, state

    return [timeless(change) for change in changes]


def live(seed: int | str, count: int, names: tuple[str, ...] = ("order",)) -> list[Change]:
    life = Life(seed, kinds_named(names))
    return [life.advance(1_700_000_000_000_000) for _ in range(count)]


def histories(changes: list[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.entity_id].append(change)
    return found


def test_the_same_seed_gives_the_same_life() -> None:
    with Shop(seed=7) as one, Shop(seed=7) as two, Shop(seed=8) as three:
        first, second, third = (shop.advance(300) for shop in (one, two, three))
    assert without_times(first) == without_times(second)
    assert without_times(first) != without_times(third)


def test_without_a_seed_every_life_is_another() -> None:
    with Shop() as one, Shop() as two:
        assert without_times(one.advance(5)) != without_times(two.advance(5))
        assert one.secret != two.secret
        assert one.api_key != two.api_key


def test_the_seed_gives_the_keys_too() -> None:
    with Shop(seed="a") as one, Shop(seed="a") as two, Shop(seed="b") as three:
        assert (one.secret, one.api_key) == (two.secret, two.api_key)
        assert one.secret != three.secret
        assert one.secret == "whsec_ltPrN6PjaifSXNqZcYfBrsr2uwr58sijxMw4tkeorj8="
        assert one.api_key != three.api_key


def test_the_life_does_not_depend_on_faults_subscribers_or_steps() -> None:
    faults = Faults(lost=0.3, duplicated=0.3, reordered=0.3, api_errors=0.5)
    with Receiver() as receiver, Shop(seed=7) as plain:
        with Shop(seed=7, speed=100, faults=faults, webhook_url=receiver.url) as faulty:
            in_steps = [change for _ in range(10) for change in faulty.advance(5)]
            faulty.drain()
        assert without_times(plain.advance(50)) == without_times(in_steps)


def test_versions_count_and_times_strictly_increase() -> None:
    for history in histories(live(3, 2_000, ("order", "customer", "invoice"))).values():
        assert [change.version for change in history] == list(range(1, len(history) + 1))
        stamps = [change.state["updated_at"] for change in history]
        assert stamps == sorted(set(stamps))
        assert all(len(stamp) == len("2023-11-14T22:13:20.000000Z") for stamp in stamps)


def test_a_clock_that_goes_back_does_not_turn_time_back() -> None:
    life = Life(1, KINDS)
    assert life.advance(1_000).occurred_us == 1_000
    assert life.advance(10).occurred_us == 1_001


def test_every_step_is_a_legal_move() -> None:
    legal = {
        kind.name: {
            (status, move.status)
            for status, moves in kind.moves.items()
            for _, move in moves
            if move
        }
        for kind in KINDS
    }
    seen: set[str] = set()
    for history in histories(live(5, 4_000, ("order", "customer", "invoice"))).values():
        statuses = [change.state["status"] for change in history]
        steps = set(pairwise(statuses))
        assert steps <= legal[history[0].entity_type]
        assert history[0].event_type.endswith(".created")
        seen.update(change.event_type for change in history)
    assert {"order.delivered", "order.cancelled", "order.refunded", "customer.deleted"} <= seen


def test_rests_is_said_of_an_entitys_last_change_only() -> None:
    for history in histories(live(5, 1_000)).values():
        assert not any(change.rests for change in history[:-1])


def test_earlier_states_stay_as_they_were() -> None:
    changes = live(5, 200)
    assert all(change.state["version"] == change.version for change in changes)


def test_only_the_entities_asked_for_live() -> None:
    with Shop(seed=1, entities=("customer", "invoice")) as shop:
        assert {change.entity_type for change in shop.advance(100)} == {"customer", "invoice"}


@pytest.mark.parametrize("entities", [("orders",), ()])
def test_unknown_entities_are_refused(entities: tuple[str, ...]) -> None:
    with pytest.raises(ShopArgumentError, match="choose from"):
        Shop(entities=entities)


def test_truth_is_the_life() -> None:
    with Shop(seed=2) as shop:
        assert shop.truth.empty
        empty_dtypes = shop.truth.dtypes
        changes = shop.advance(200)
        truth = shop.truth
    assert list(truth.index) == list(range(1, 201))
    assert truth.index.name == "change"
    assert truth.event_id.tolist() == [change.event_id for change in changes]
    assert truth.occurred_at.tolist() == [change.occurred_at for change in changes]
    assert truth.state.tolist() == [change.state for change in changes]
    assert (truth.outcome == "no subscriber").all()
    assert truth.delivered_at.isna().all()
    assert truth.deleted.sum() == sum(change.deleted for change in changes) > 0
    assert (truth.dtypes == empty_dtypes).all()
    assert str(truth.dtypes["occurred_at"]) == "datetime64[us, UTC]"


def test_truth_is_the_users_to_change() -> None:
    with Shop(seed=2, entities=("order",)) as shop:
        shop.advance()
        shop.truth.state[1]["items"].clear()
        assert shop.truth.state[1]["items"]


def test_no_column_of_truth_hides_behind_a_dataframe_name() -> None:
    with Shop() as shop:
        assert not [name for name in shop.truth.columns if hasattr(pd.DataFrame, name)]
