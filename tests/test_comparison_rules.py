"""`comparison`, rule by rule: every test carries the number of the rule that it shows."""

import json

import pandas as pd
import pytest

from tests.comparison_parts import at, events, fetches, listening, plain, polls, seconds, snapshots
from webhooklab.comparison import CHANGE_COLUMNS, REASONS, VERDICTS, compare

NOW = 1_000
PROOF = {"entity_id": "proof", "version": "1", "received_at": 1}
"""A push about an entity that polls saw too, so that pushes are known to work."""
PROVED = {"entity_id": "proof", "version": "1", "polled_at": 0.5, "last_seen_at": 900}


def run(pushed, pulled, *, now=NOW, spans=((-100, None),), works=True, **more):
    """Compare rows; with a push that shows that pushes work, unless `works` is False."""
    pushed = [{"seq": n, **row} for n, row in enumerate(pushed, 2)]
    if works:
        pushed, pulled = [{"seq": 1, **PROOF}, *pushed], [PROVED, *pulled]
    return compare(
        events(*pushed),
        snapshots(*pulled),
        listening=listening(*spans) if spans else None,
        now=at(now),
        **more,
    )


def rows_of(comparison, entity_id="1"):
    changes = comparison.changes
    return changes[changes["entity_id"] == entity_id].reset_index(drop=True)


def judged(pushed, pulled, entity_id="1", **more):
    """Each version of the entity with its verdict, and its reason if it has one."""
    rows = rows_of(run(pushed, pulled, **more), entity_id)
    return {
        plain(row.version): row.verdict if pd.isna(row.reason) else f"{row.verdict}: {row.reason}"
        for row in rows.itertuples()
    }


def push(received_at, version=None, **more):
    return {"received_at": received_at, "version": version, **more}


def seen(version, polled_at, not_seen_at=None, last_seen_at=None, **more):
    return {
        "version": version,
        "polled_at": polled_at,
        "not_seen_at": not_seen_at,
        "last_seen_at": last_seen_at,
        **more,
    }


BASE = seen("1", 5, None, 40)
SECOND = seen("2", 70, 40, 900)
"""A second state, first shown at 70 s; at 40 s it was not there yet."""


# What it returns


def test_changes_have_the_columns_and_dtypes_that_were_promised():
    full = run([push(50, "2")], [BASE, SECOND]).changes
    empty = compare(events(), snapshots()).changes
    for frame in (full, empty):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == CHANGE_COLUMNS
    assert len(empty) == 0
    assert len(full) == 2


def test_frames_belong_to_the_caller():
    comparison = run([push(50, "2")], [BASE, SECOND])
    mine = comparison.changes
    mine["verdict"] = "spoilt"
    mine.loc[0, "mismatch"] = pd.NA
    assert set(comparison.changes["verdict"]) == {"both"}


def test_nothing_in_common_is_said_by_example():
    pushed = events({"entity_id": "444", "received_at": 1, "version": "1"})
    comparison = compare(pushed, snapshots(seen("1", 2, entity_id="1296269")))
    assert "'444'" in comparison.verdict
    assert "'1296269'" in repr(comparison)
    assert "pass entity_id=" in comparison._repr_html_()
    assert len(comparison.changes) == 0


def test_now_is_the_latest_time_in_any_frame():
    pushed, pulled = events(push(6, "1")), snapshots(BASE, SECOND)
    spans, rest = listening(), {"grace": 10}
    assert compare(pushed, pulled, listening=spans, **rest).changes["verdict"][1] == "poll_only"
    pulled["last_seen_at"] = at(75)
    assert compare(pushed, pulled, listening=spans, **rest).changes["verdict"][1] == "pending"
    later = polls({"requested_at": 79.9})
    found = compare(pushed, pulled, listening=spans, polls=later, **rest)
    assert found.changes["verdict"][1] == "poll_only"


def test_a_negative_grace_is_refused():
    with pytest.raises(ValueError, match="grace"):
        compare(events(), snapshots(), grace=-1)


def test_all_verdicts_and_reasons_are_named():
    assert VERDICTS == ("both", "push_only", "poll_only", "pending", "unknown")
    assert len(REASONS) == 8


# Rule 1


def test_rule_01_absence_at_the_request_counts_not_at_the_answer():
    # Not listening from 0 to 41 s: the change may have come at 40.5 s, after the request began.
    spans = ((-100, 0), (41, None))
    assert judged([], [BASE, SECOND], spans=spans) == {"2": "unknown: not listening"}
    assert judged([], [BASE, SECOND | {"not_seen_at": 41}], spans=((-100, 0.9), (0.95, None))) == {
        "2": "poll_only"
    }


def test_rule_01_a_poll_without_rows_extends_what_was_seen():
    pushed, pulled = [push(50, "b")], [seen("a", 5, None, 5)]
    assert judged(pushed, pulled, works=False) == {"b": "pending"}
    later = polls({"requested_at": 60, "status": 304, "changed": 0})
    assert judged(pushed, pulled, works=False, polls=later) == {
        "b": "unknown: versions do not compare"
    }


def test_rule_01_a_newer_state_is_no_proof_that_an_older_one_was_not_there():
    # A replica lags: it shows an older state after a newer one.
    older = seen("1", 70, 40, 80)
    newest = seen("2", 90, 80, 900)
    assert judged([], [seen("2", 5, None, 40), older, newest]) == {}
    assert judged([push(4, "1")], [seen("2", 5, None, 40), older, newest]) == {"1": "both"}
    late = [seen("1", 5, None, 20), seen("3", 30, 20, 60), seen("2", 70, 60, 80)]
    assert judged([push(29, "3")], late) == {"2": "poll_only", "3": "both"}
    # Its webhook would have come before that of version 3: while we did not listen.
    spans = ((-100, 21), (50, None))
    assert judged([push(51, "3")], late, spans=spans)["2"] == "unknown: not listening"


@pytest.mark.parametrize("failure", [{"status": 500}, {"complete": False}, {"error": "timeout"}])
def test_rule_01_a_failed_or_partial_poll_proves_nothing(failure):
    later = polls({"requested_at": 60, **failure})
    found = judged([push(50, "b")], [seen("a", 5, None, 5)], works=False, polls=later)
    assert found == {"b": "pending"}


# Rule 2


def test_rule_02_provider_and_type_tell_entities_apart():
    pushed = [push(50, "2", entity_type="customer"), push(51, "2", provider="other")]
    found = judged(pushed, [BASE, SECOND])
    assert found == {"2": "poll_only"} | {"2": found["2"]}
    assert len(rows_of(run(pushed, [BASE, SECOND]))) == 3


@pytest.mark.parametrize("part", ["provider", "entity_type"])
def test_rule_02_a_part_that_one_side_leaves_out_is_not_compared(part):
    pushed, pulled = [push(50, "2")], [BASE, SECOND]
    for side in (pushed, pulled):
        bare = [row | {part: None} for row in side]
        others = (bare, pulled) if side is pushed else (pushed, bare)
        assert judged(*others, works=False) == {"2": "both"}


def test_rule_02_names_that_are_missing_in_some_rows_only():
    pushed = [push(50, "2"), push(90, "3", entity_type=None)]
    pulled = [BASE, SECOND, seen("3", 100, 90, 900)]
    found = run(
        [*pushed], [*pulled, seen("1", 5, None, 9, entity_type=None, entity_id="7", poller="b")]
    )
    assert [row.verdict for row in rows_of(found).itertuples()] == ["both", "both"]


def test_rule_02_ids_are_text():
    pushed = events(push(6, "1", entity_id="42"), push(50, "2", entity_id="42"))
    pulled = snapshots(*[row | {"entity_id": "42"} for row in (BASE, SECOND)])
    pulled["entity_id"] = pulled["entity_id"].astype(int)
    assert list(compare(pushed, pulled).changes["verdict"]) == ["both", "both"]
    pulled["entity_id"] = 42.0  # what pandas makes of numbers beside an absent one
    assert list(compare(pushed, pulled).changes["verdict"]) == ["both", "both"]
    pulled["entity_id"] = "042"
    assert len(compare(pushed, pulled).changes) == 0


def test_rule_02_one_id_from_two_pollers_without_a_type_is_ambiguous():
    pulled = [row | {"entity_type": None} for row in (BASE, SECOND)]
    other = [seen("7", 5, None, 9, poller="customers", entity_type=None)]
    assert judged([push(50, "2")], pulled + other) == {"2": "unknown: ambiguous id"}
    assert judged([], pulled + other) == {"2": "unknown: ambiguous id"}
    assert judged([push(50, "2")], pulled + other, works=False) == {"2": "unknown: ambiguous id"}
    alone = judged([push(50, "2")], pulled)
    assert alone == {"2": "both"}


def test_rule_02_one_untyped_state_that_fits_two_pushed_types_is_ambiguous():
    pushed = [push(50, "2"), push(51, "2", entity_type="customer")]
    pulled = [row | {"entity_type": None} for row in (BASE, SECOND)]
    found = rows_of(run(pushed, pulled))
    assert set(found["verdict"]) == {"unknown"}
    assert set(found["reason"]) == {"ambiguous id"}


def test_rule_02_two_pollers_of_one_type_see_one_entity():
    pulled = [BASE, SECOND, seen("2", 60, 50, 900, poller="b"), seen("1", 6, None, 50, poller="b")]
    row = rows_of(run([push(50, "2")], pulled)).iloc[0]
    assert (row["verdict"], seconds(row["polled_at"])) == ("both", 60)


# Rule 3


def test_rule_03_deliveries_without_an_entity_only_count():
    comparison = run([push(50, "2"), push(51, None, entity_id=None)], [BASE, SECOND])
    assert len(rows_of(comparison)) == 1
    assert comparison.summary["without_entity"] == 1
    assert comparison.summary["deliveries"] == 3


def test_rule_03_invalid_deliveries_make_no_row_flag_or_order():
    pushed = [push(50, "9", verified="invalid"), push(51, "2"), push(52, "2", verified="invalid")]
    rows = rows_of(run(pushed, [BASE, SECOND]))
    assert list(rows["version"]) == ["2"]
    assert rows["delivery_count"][0] == 1
    assert not rows[["duplicate", "out_of_order"]].any(axis=None)


@pytest.mark.parametrize("verified", ["valid", "unsigned", "unchecked", "unverifiable"])
def test_rule_03_all_others_take_part_whatever_we_answered(verified):
    assert judged([push(50, "2", verified=verified, status=500)], [BASE, SECOND]) == {"2": "both"}


@pytest.mark.parametrize(
    "ours",
    [
        {"source": "recovered"},
        {"headers_json": '[["webhooklab-replay", "2"]]'},
        {"headers_json": '[["Host", "x"], ["Webhooklab-Replay-Of","2"]]'},
    ],
)
def test_rule_03_our_own_replays_do_not_take_part(ours):
    comparison = run([push(80, "2", **ours)], [BASE, SECOND])
    assert rows_of(comparison)["verdict"][0] == "poll_only"
    assert comparison.summary["our_replays"] == 1


@pytest.mark.parametrize("name", ["User-Agent", "X-Webhooklab-Replay"])
def test_rule_03_who_only_speaks_of_replays_takes_part(name):
    headers = json.dumps([[name, "webhooklab-replay"], ["X", '["webhooklab-replay"]']])
    assert judged([push(50, "2", headers_json=headers)], [BASE, SECOND]) == {"2": "both"}


def test_rule_03_a_batch_is_one_row_per_event():
    pushed = events(push(50, "2"), push(50, "3"), push(50, "1", entity_id="b"))
    pushed.index = pd.MultiIndex.from_arrays([[7, 7, 7], [0, 1, 2]], names=["seq", "item"])
    pulled = [BASE, SECOND, seen("3", 100, 70, 900), seen("1", 60, 40, 900, entity_id="b")]
    changes = compare(pushed, snapshots(*pulled), now=at(NOW)).changes
    assert list(changes["verdict"]) == ["both"] * 3
    assert list(changes["event_seq"]) == [7] * 3
    assert not changes["out_of_order"].any()  # one delivery is not before itself


# Rule 4


@pytest.mark.parametrize(
    ("pushed", "pulled"),
    [
        ("10", "10.0"),
        ("1767225601", "2026-01-01T00:00:01Z"),
        ("1767225601500", "2026-01-01T00:00:01.500Z"),
        ("2026-01-01T00:00:01Z", "2026-01-01T01:00:01+01:00"),
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:01.678Z"),
        ("1767225601", "1767225601999"),
        ("2026-01-01T00:00:01.123456789Z", "2026-01-01T00:00:01.123456Z"),
        ("123456789012345678901", "123456789012345678901"),
        ('W/"a"', 'W/"a"'),
    ],
)
def test_rule_04_equal_versions_spelled_differently(pushed, pulled):
    found = judged([push(50, pushed)], [seen(pulled, 70, 40, 900)])
    assert found == {pushed: "both"}
    assert judged([push(50, pulled)], [seen(pushed, 70, 40, 900)]) == {pulled: "both"}


@pytest.mark.parametrize(
    ("pushed", "pulled"),
    [
        ("10", "1"),
        ("1", "01x"),
        ("2026-01-01T00:00:01.120Z", "2026-01-01T00:00:01.123Z"),
        ("a", "A"),
    ],
)
def test_rule_04_different_versions_do_not_match(pushed, pulled):
    assert "both" not in judged([push(50, pushed)], [seen(pulled, 70, 40, 900)]).values()


def test_rule_04_mixed_kinds_match_nothing():
    for pushed, pulled in (("5", "2026-01-01T00:00:01Z"), ("abc", "5")):
        found = judged([push(50, pushed)], [seen(pulled, 70, 40, 900)])
        assert set(found.values()) == {"unknown: versions do not compare"}
    assert judged([push(50, "5"), push(51, "abc")], [seen("5", 70, 40, 900)])["5"].startswith(
        "unknown"
    )


def test_rule_04_numbers_are_ordered_as_numbers():
    pushed = [push(50, "10"), push(60, "9")]
    rows = rows_of(run(pushed, [seen("8", 5, None, 40), seen("11", 70, 40, 900)]))
    assert list(rows["version"]) == ["9", "10", "11"]
    assert list(rows["out_of_order"]) == [True, False, False]


def test_rule_04_an_opaque_version_that_no_poll_shows_cannot_be_placed():
    pulled = [seen("a", 5, None, 40), seen("c", 70, 40, 900)]
    assert judged([push(50, "b")], pulled)["b"] == "unknown: versions do not compare"


def test_rule_04_order_never_comes_from_clocks():
    rows = rows_of(run([push(500, "2")], [BASE, SECOND, seen("3", 100, 80, 900)]))
    assert not rows["out_of_order"].any()


# Rule 5


def test_rule_05_ties_are_one_change():
    pushed = [push(50 + n, "2", event_id=f"e{n}") for n in range(6)]
    row = rows_of(run(pushed, [BASE, SECOND])).iloc[0]
    assert (row["event_count"], row["delivery_count"]) == (6, 6)
    assert not row["duplicate"]
    assert not row["out_of_order"]
    assert not row["stale"]


# Rule 6


def test_rule_06_a_baseline_is_no_change_unless_it_was_pushed():
    assert judged([], [BASE]) == {}
    row = rows_of(run([push(3, "1", occurred_at=2)], [BASE])).iloc[0]
    assert row["verdict"] == "both"
    assert seconds(row["push_lag"]) == 1
    assert pd.isna(row["poll_lag"])
    assert seconds(row["polled_at"]) == 5


def test_rule_06_what_is_older_than_the_baseline_cannot_be_judged():
    assert judged([push(50, "1")], [seen("2", 5, None, 900)]) == {"1": "unknown: baseline"}


# Rule 7


def test_rule_07_both_in_either_order():
    assert judged([push(50, "2")], [BASE, SECOND]) == {"2": "both"}
    assert judged([push(75, "2")], [BASE, SECOND]) == {"2": "both"}
    assert seconds(rows_of(run([push(75, "2")], [BASE, SECOND]))["lead"][0]) == -5


def test_rule_07_a_late_webhook_turns_poll_only_into_both():
    assert judged([], [BASE, SECOND]) == {"2": "poll_only"}
    assert judged([push(900, "2")], [BASE, SECOND]) == {"2": "both"}


# Rule 8


THIRD = seen("3", 70, 40, 900)


def test_rule_08_polling_overlooked_what_lies_between_two_states():
    assert judged([push(50, "2")], [BASE, THIRD])["2"] == "push_only"


def test_rule_08_proven_absence_counts_as_older():
    assert judged([push(50, "2")], [seen("3", 70, 40, 900)])["2"] == "push_only"


def test_rule_08_a_deletion_counts_as_newer():
    gone = seen("1", 70, 40, 900, deleted=True)
    assert judged([push(50, "2")], [BASE, gone])["2"] == "push_only"


def test_rule_08_without_a_newer_state_it_is_pending():
    assert judged([push(50, "2")], [BASE]) == {"2": "pending"}


def test_rule_08_fetches_are_not_polls():
    fetched = fetches({"seq": 2, "fetched_at": 52, "version": "2"})
    assert judged([push(50)], [BASE, THIRD], fetches=fetched)["2"] == "push_only"


# Rule 9


def test_rule_09_a_missed_webhook():
    comparison = run([], [BASE, SECOND])
    assert list(comparison.missed["version"]) == ["2"]
    assert "never came" in comparison.verdict


@pytest.mark.parametrize("spans", [(), ((-100, 39), (41, None)), ((45, None),), ((-100, 99),)])
def test_rule_09_needs_listening_without_a_gap(spans):
    # Until 100 s: 70 s and the grace.
    assert judged([], [BASE, SECOND], spans=spans) == {"2": "unknown: not listening"}


@pytest.mark.parametrize("spans", [((40, 100),), ((0, 60), (60, 200)), ((0, 80), (50, None))])
def test_rule_09_spans_that_touch_have_no_gap(spans):
    pushed = [push(-1, "1", entity_id="proof")]
    assert judged(pushed, [BASE, SECOND], spans=spans) == {"2": "poll_only"}


def test_rule_09_pushes_must_be_known_to_work_before():
    assert judged([], [BASE, SECOND], works=False) == {}
    late = [push(41, "5", entity_id="b")]
    pulled = [BASE, SECOND, seen("5", 5, None, 900, entity_id="b")]
    assert judged(late, pulled, works=False) == {"2": "unknown: nothing ever pushed"}
    early = [push(39, "5", entity_id="b")]
    assert judged(early, pulled, works=False) == {"2": "poll_only"}


def test_rule_09_pushes_of_another_kind_prove_nothing():
    other = {"entity_type": "customer", "entity_id": "c"}
    pulled = [BASE, SECOND, seen("5", 5, None, 900, **other)]
    found = judged([push(6, "5", **other)], pulled, works=False)
    assert found == {"2": "unknown: nothing ever pushed"}


def test_rule_09_pushes_about_what_no_poll_saw_prove_nothing():
    pushed = [push(6, "5", entity_id="unseen"), push(500, "1")]
    found = judged(pushed, [BASE, SECOND], works=False)
    assert found["2"] == "unknown: nothing ever pushed"


def test_rule_09_pushes_of_one_source_prove_nothing_of_another():
    other = {"poller": "b", "entity_id": "b"}
    pulled = [PROVED, seen("1", 5, None, 40, **other), seen("2", 70, 40, 900, **other)]
    found = judged([{"seq": 1, **PROOF}], pulled, "b", works=False)
    assert found == {"2": "unknown: nothing ever pushed"}


@pytest.mark.parametrize(
    ("pushed", "pulled"),
    [
        # When it was sent, against when it was changed.
        (["2026-01-01T00:00:03.140Z", "2026-01-01T00:00:50.201Z"],
         ["2026-01-01T00:00:03.107Z", "2026-01-01T00:00:50.180Z"]),
        (["71", "72"], ["1", "2"]),
        (["abc", "def"], ['W/"abc"', 'W/"def"']),
    ],
)  # fmt: skip
def test_rule_09_versions_that_never_meet_may_be_of_two_sorts(pushed, pulled):
    events_ = [push(4, pushed[0]), push(51, pushed[1])]
    states = [seen(pulled[0], 5, None, 40), seen(pulled[1], 70, 40, 900)]
    found = judged(events_, states, works=False)
    assert found[pulled[1]] == "unknown: versions do not compare"
    # Once two have met, the versions are of one sort, and the webhook was missed.
    assert judged(events_, states)[pulled[1]] == "poll_only"
    assert judged(events_[:1], states, works=False)[pulled[1]] == "poll_only"


def test_rule_09_an_event_without_a_version_may_have_been_it():
    inside, outside = "unknown: thin", "poll_only"
    for moment, verdict in ((40, outside), (40.5, inside), (100, inside), (101, outside)):
        assert judged([push(moment)], [BASE, SECOND]) == {"2": verdict}


def test_rule_09_nothing_is_known_of_when_without_a_time_of_receipt():
    assert judged([push(None, "5", entity_id="b")], [BASE, SECOND], works=False) == {}
    pulled = [BASE, SECOND, seen("5", 5, None, 900, entity_id="b")]
    untimed = judged([push(None, "5", entity_id="b")], pulled, works=False)
    assert untimed == {"2": "unknown: nothing ever pushed"}
    assert judged([push(None)], [BASE, SECOND]) == {"2": "unknown: thin"}


def test_the_verdict_says_what_to_do_about_thin_events():
    found = run([push(50), push(60, "7", entity_id="b")], [BASE, SECOND])
    assert found.verdict.startswith("No webhook is known to be missing, in 1 change; of 2 more")
    alone = run([push(5), push(50)], [BASE, SECOND], works=False)
    assert alone.verdict.startswith(
        "These data cannot tell of 1 change: an event without a version"
    )
    for comparison in (alone, run([push(50)], [BASE, SECOND])):
        assert "lab.map(version=...)" in comparison.verdict
        assert "lab.fetch_related(...)" in comparison.verdict


def test_the_verdict_says_so_where_no_event_tells_what_has_become_of_anything():
    pushed = [push(50, body='{"id": "1"}'), push(60, "7", body='{"id": "1"}')]
    for event in pushed:
        found = run([event], [seen(None, 5, state={"id": "1", "status": "a"})], works=False)
        assert len(found.changes) == 0
        assert found.verdict.startswith(
            "No change can be told: events name no version, nor a state"
        )
        assert "lab.poll(version=...)" in found.verdict


def test_the_verdict_does_not_count_as_told_what_is_too_early():
    found = run([push(50, "2")], [BASE], works=False)
    assert found.verdict == "Too early to tell: let webhooks and polls go on for a while."


def test_rule_09_only_an_invalid_signature():
    assert judged([push(50, "2", verified="invalid")], [BASE, SECOND]) == {
        "2": "unknown: invalid signature only"
    }
    assert judged([push(50, None, verified="invalid")], [BASE, SECOND]) == {
        "2": "unknown: invalid signature only"
    }
    assert judged([push(50, "3", verified="invalid")], [BASE, SECOND]) == {"2": "poll_only"}


def test_rule_09_an_entity_that_no_poll_covers():
    other = {"entity_id": "x", "entity_type": "customer"}
    assert judged([push(50, "2", **other)], [BASE], "x") == {"2": "unknown: not polled"}


# What it is given


@pytest.mark.parametrize("now", [at(99), at(99).timestamp(), at(99).isoformat(), "99 s"])
def test_now_is_any_time_that_verify_takes(now):
    pushed, pulled = events({"seq": 1, **PROOF}), snapshots(PROVED, BASE, SECOND)
    if now == "99 s":
        with pytest.raises(ValueError, match="'99 s' is no time"):
            compare(pushed, pulled, now=now)
    else:
        found = compare(pushed, pulled, listening=listening(), now=now)
        assert rows_of(found)["verdict"].tolist() == ["pending"]


@pytest.mark.parametrize("grace", [-1, "30", None, float("nan"), float("inf")])
def test_a_grace_that_is_none_is_refused(grace):
    with pytest.raises(ValueError, match="pass 0 or more seconds"):
        run([], [BASE], grace=grace)


@pytest.mark.parametrize("name", ["events", "listening"])
def test_what_is_no_frame_is_refused_by_its_name(name):
    given = {"events": events(PROOF), "snapshots": snapshots(PROVED), name: [(0, 1)]}
    with pytest.raises(TypeError, match=f"{name}: pass a DataFrame like lab"):
        compare(**given)


@pytest.mark.parametrize("optional", [None, pd.DataFrame()])
def test_frames_without_any_column_are_compared_to_nothing(optional):
    empty = pd.DataFrame()
    found = compare(empty, empty, polls=optional, fetches=optional, listening=optional)
    assert found.verdict.startswith("No verdicts")
    assert (len(found.changes), len(found.missed), len(found.what_if(every=[1, 2]))) == (0, 0, 2)
    assert "Nothing is known of x" in found.explain("x").sentence


@pytest.mark.parametrize("side", ["events", "snapshots"])
@pytest.mark.parametrize("how", ["without", "unknown", "as text", "elsewhere"])
def test_explains_what_the_frames_do_not_time_or_time_in_their_own_way(side, how):
    given = {"events": events(PROOF), "snapshots": snapshots(PROVED)}
    frame, name = given[side], {"events": "received_at", "snapshots": "polled_at"}[side]
    told = {
        "without": frame.drop(columns=name),
        "unknown": frame.assign(**{name: pd.NaT}),
        "as text": frame.assign(**{name: frame[name].astype(str)}),
        "elsewhere": frame.assign(**{name: frame[name].dt.tz_convert("Asia/Tokyo")}),
    }
    sentence = compare(**given | {side: told[how]}).explain("proof").sentence
    assert sentence.startswith("proof changed 1 time: version 1 was pushed")
    assert (
        "a poll showed it" if how in ("as text", "elsewhere") else "and a poll showed it"
    ) in sentence


@pytest.mark.parametrize(
    ("span", "said"),
    [
        *[(0.03, "0.03 s"), (59, "59 s"), (196, "3 min 16 s"), (198, "3 min 18 s")],
        *[(3_599.9, "1 h 0 min"), (7_500, "2 h 5 min"), (200_000, "2 d 8 h")],
    ],
)
def test_explains_how_much_later_so_that_moments_are_told_apart(span, said):
    line = run([push(span, "1")], [seen("1", 0, None)]).explain("1").line
    assert line.endswith(f"pushed v1 +{said} (seq 2, answered 200)")


@pytest.mark.parametrize("side", ["snapshots", "fetches"])
def test_rule_09_and_15_an_answer_of_unknown_time_proves_nothing_of_before_and_after(side):
    pulled = [BASE, SECOND, seen("3", None, 70)]
    told = {"seq": 2, "version": "3", "entity_id": "1"}
    if side == "fetches":
        pulled, told = pulled[:2], fetches(told)
    more = {"fetches": told} if side == "fetches" else {}
    rows = rows_of(run([push(50, "1"), push(60, "2")], pulled, **more)).set_index("version")
    assert rows["stale"].tolist() == [False] * len(rows)
    if side == "snapshots":
        assert rows.loc["3", ["verdict", "reason"]].tolist() == ["unknown", "not listening"]
        assert pd.isna(rows.loc["3", "polled_at"])


def test_rule_13_a_state_seen_at_an_unknown_time_may_be_after_the_vanishing():
    assert judged([], [BASE, GONE]) == {"deleted": "poll_only"}
    assert judged([], [BASE, GONE, seen("1", None)]) == {}


# Rule 10


def test_rule_10_the_grace_runs_from_the_first_poll_that_saw_it():
    for now, verdict in ((99, "pending"), (100, "poll_only")):
        assert judged([], [BASE, SECOND], now=now) == {"2": verdict}
    assert judged([], [BASE, SECOND], now=80, grace=5) == {"2": "poll_only"}


# Rule 11


def test_rule_11_a_thin_event_takes_the_version_of_its_fetch():
    fetched = fetches({"seq": 2, "fetched_at": 51, "version": "2"})
    comparison = run([push(50)], [BASE, SECOND], fetches=fetched)
    row = rows_of(comparison).iloc[0]
    assert row["verdict"] == "both"
    assert pd.isna(row["stale"])
    assert pd.isna(row["out_of_order"])
    assert pd.isna(row["mismatch"])
    assert not row["duplicate"]
    assert comparison.summary["thin"] == 1


def test_rule_11_a_fetch_never_disproves_a_push():
    fetched = fetches({"seq": 2, "fetched_at": 90, "version": "3"})
    pulled = [BASE, SECOND, seen("3", 80, 75, 900)]
    assert judged([push(50)], pulled, fetches=fetched) == {"2": "unknown: thin", "3": "both"}


@pytest.mark.parametrize("fetch", [{"status": 500, "version": "2"}, {"status": 200}])
def test_rule_11_without_a_fetched_version_it_proves_nothing(fetch):
    fetched = fetches({"seq": 2, "fetched_at": 51, **fetch})
    assert judged([push(50)], [BASE, SECOND], fetches=fetched) == {"2": "unknown: thin"}


def test_rule_11_an_event_with_a_version_keeps_it():
    fetched = fetches({"seq": 2, "fetched_at": 51, "version": "3"})
    assert judged([push(50, "2")], [BASE, SECOND], fetches=fetched) == {"2": "both"}


def test_rule_11_flags_look_at_the_deliveries_that_are_not_thin():
    fetched = fetches({"seq": 3, "fetched_at": 56, "version": "2"})
    row = rows_of(run([push(50, "2"), push(55)], [BASE, SECOND], fetches=fetched)).iloc[0]
    assert row["delivery_count"] == 2
    assert row["stale"] is False or not row["stale"]


# Rule 12


def states(*rows):
    """Snapshots without versions: (status, polled_at, not_seen_at, last_seen_at)."""
    return [seen(None, p, n, last, state={"id": "1", "status": s}) for s, p, n, last in rows]


def fat(received_at, status):
    return push(received_at, body=json.dumps({"id": "1", "status": status}))


LIFE = states(("a", 5, None, 40), ("b", 70, 40, 190), ("a", 220, 190, 900))


def run_verdicts(pushed, pulled=LIFE):
    return [(row.verdict, plain(row.reason)) for row in rows_of(run(pushed, pulled)).itertuples()]


def test_rule_12_a_b_a_are_three():
    rows = rows_of(run([fat(3, "a"), fat(50, "b"), fat(200, "a")], LIFE))
    assert list(rows["verdict"]) == ["both"] * 3
    assert [seconds(each) for each in rows["polled_at"]] == [5, 70, 220]
    assert rows["version"].isna().all()
    assert rows["out_of_order"].isna().all()


def test_rule_12_a_run_that_nobody_pushed_was_missed():
    assert run_verdicts([fat(50, "b")]) == [("both", None), ("poll_only", None)]


def test_rule_12_an_event_of_no_run_is_unknown():
    found = run_verdicts([fat(50, "b"), fat(200, "c")])
    assert found[0] == ("both", None)
    assert ("unknown", "versions do not compare") in found[1:]
    assert ("poll_only", None) not in found  # it came in the time of the third run


def test_rule_12_an_event_of_two_runs_is_unknown():
    quick = states(("a", 5, None, 40), ("b", 50, 40, 55), ("a", 60, 55, 900))
    # At 30 s it may belong to the first run, at 58 s only to the third: the first one's is over.
    assert ("both", None) in run_verdicts([fat(30, "a"), fat(45, "b"), fat(58, "a")], quick)
    near = states(("a", 50, 30, 55), ("b", 60, 55, 65), ("a", 70, 65, 900))
    assert run_verdicts([fat(58, "b"), fat(75, "a")], near)[0] == (
        "unknown", "versions do not compare"
    )  # fmt: skip


def test_rule_12_the_window_of_a_run():
    for moment, verdict in ((40, "unknown"), (40.5, "both"), (100, "both"), (100.5, "unknown")):
        assert run_verdicts([fat(moment, "b")], LIFE[:2])[0][0] == verdict


def test_rule_12_a_version_on_one_side_counts_as_none():
    for pushed, pulled in (({"version": "7"}, {}), ({}, {"version": "7"})):
        rows = rows_of(run([fat(50, "b") | pushed], [row | pulled for row in LIFE[:2]]))
        assert list(rows["verdict"]) == ["both"]


THIN_BODIES = ('{"id": "1"}', "no JSON", "[]", '{"id": "1", "link": "https://api.example/1"}')


@pytest.mark.parametrize("body", THIN_BODIES)
@pytest.mark.parametrize("verified", ["valid", "invalid"])
def test_rule_12_a_version_that_counts_as_none_without_a_state_is_a_thin_event(body, verified):
    event = push(50, "7", body=body, verified=verified)
    reason = "thin" if verified == "valid" else "invalid signature only"
    assert run_verdicts([event], LIFE[:2]) == [("unknown", reason)]
    comparison = run([event], LIFE[:2])
    assert comparison.summary["thin"] == (1 if verified == "valid" else 0)
    assert run_verdicts([event | {"received_at": 40}], LIFE[:2]) == [("poll_only", None)]


def test_rule_12_an_event_of_unknown_time_and_another_state_may_be_of_any_run():
    assert run_verdicts([fat(None, "c")], LIFE[:2])[0] == ("unknown", "versions do not compare")


def test_rule_12_a_state_that_is_not_known_may_be_the_one_that_was_pushed():
    quick = states(("a", 5, None, 40), ("b", 50, 40, 55), ("b", 60, 55, 900))
    lost = [*quick[:2], quick[2] | {"state": None}]
    pushed = [fat(45, "b"), fat(58, "b")]
    assert ("poll_only", None) not in run_verdicts(pushed, lost)
    assert run_verdicts([], [*LIFE[:1], LIFE[1] | {"state": None}]) == [("poll_only", None)]


def test_rule_12_events_compared_by_their_state_are_not_thin():
    comparison = run([fat(50, "b"), push(60), push(70, entity_id="b", version="1")], LIFE[:2])
    assert comparison.summary["thin"] == 1
    assert run([deleted(50)], [BASE]).summary["thin"] == 0


def test_rule_12_only_paths_of_both_sides_count():
    pulled = [row | {"state": row["state"] | {"views": n}} for n, row in enumerate(LIFE[:2])]
    pulled.append(seen(None, 120, 100, 900, state={"id": "1", "status": "b", "views": 9}))
    assert run_verdicts([fat(50, "b")], pulled) == [("both", None)]


def test_rule_12_keys_may_come_in_any_order_and_numbers_in_any_form():
    pulled = [seen(None, 70, 40, 900, state={"n": 1.0, "id": "1", "d": {"x": 1, "y": [2]}})]
    body = json.dumps({"d": {"y": [2], "x": 1}, "id": "1", "n": 1})
    assert run_verdicts([push(50, body=body)], pulled) == [("both", None)]


@pytest.mark.parametrize("name", ["id", "object", "type", "url", "href", "links"])
def test_rule_12_thin_events_do_not_match_by_what_only_names_the_entity(name):
    life = [row | {"state": row["state"] | {name: "1"}} for row in LIFE[:2]]
    thin = push(50, body=json.dumps({"id": "1", name: "1"}))
    assert run_verdicts([thin], life) == [("unknown", "thin")]
    versioned = [row | {"version": v} for row, v in zip(life, "12", strict=True)]
    assert run_verdicts([thin], versioned) == [("unknown", "thin")]
    later = seen("3", 120, 100, 900, state={"id": "1", "status": "c", name: "1"})
    assert run_verdicts([thin], [*versioned, later])[1] == ("poll_only", None)


# Rule 13


GONE = seen("1", 70, 40, 900, deleted=True)


def deleted(received_at, **more):
    return push(received_at, event_type="order.deleted", **more)


def test_rule_13_a_deletion_is_a_change():
    assert judged([deleted(50)], [BASE, GONE]) == {"deleted": "both"}
    assert judged([deleted(50, version="2")], [BASE, GONE]) == {"deleted": "both"}
    assert judged([push(50, "deleted")], [BASE, GONE]) == {"deleted": "both"}


def test_rule_13_a_missed_deletion_is_inferred():
    comparison = run([], [BASE, GONE])
    assert list(comparison.missed["version"]) == ["deleted"]
    assert "inferred" in comparison.explain("1").sentence


def test_rule_13_vanishing_and_coming_back_is_none():
    assert judged([], [BASE, GONE, seen("1", 100, 90, 900)]) == {}
    assert judged([deleted(50)], [BASE, GONE, seen("1", 100, 90, 900)]) == {"deleted": "both"}


def test_rule_13_missed_only_if_it_stays_gone():
    found = judged([], [BASE, GONE, seen("2", 100, 90, 900)])
    assert found == {"deleted": "unknown: versions do not compare", "2": "poll_only"}


def test_rule_13_another_poller_that_still_sees_it_knows_better():
    assert judged([], [BASE, GONE, seen("1", 5, None, 900, poller="b")]) == {}


def test_rule_13_created_and_deleted_between_polls():
    brief = [push(50, "1", entity_id="x"), deleted(55, version="2", entity_id="x")]
    around = polls({"requested_at": 40}, {"requested_at": 60})
    assert judged(brief, [BASE], "x", polls=around) == {"1": "push_only", "deleted": "push_only"}
    before = [row | {"last_seen_at": 1} for row in (BASE, PROVED)]
    early = judged(brief, before, "x", works=False, polls=polls({"requested_at": 40}))
    assert early == {} or set(early.values()) == {"pending"}


@pytest.mark.parametrize("failure", [{"status": 500}, {"complete": False}, {"error": "timeout"}])
@pytest.mark.parametrize("failed", [0, 1])
def test_rule_13_polls_that_are_not_complete_lie_on_no_side(failure, failed):
    brief = [push(50, "1", entity_id="x"), deleted(55, version="2", entity_id="x")]
    around = [{"requested_at": 40}, {"requested_at": 60}]
    around[failed] |= failure
    found = judged(brief, [BASE], "x", polls=polls(*around))
    assert set(found.values()) == {"unknown: baseline" if failed == 0 else "pending"}


@pytest.mark.parametrize(
    ("event_type", "entity_type"),
    [
        ("pull_request.review_request_removed", "pull_request"),
        ("pull_request.review_request_removed", None),
        ("star.deleted", "repository"),
        ("cart.item_removed", "cart"),
        ("sub_issues.sub_issue_removed", "issue"),
    ],
)
def test_rule_13_what_is_deleted_may_be_only_a_part_of_the_entity(event_type, entity_type):
    of = {"event_type": event_type, "entity_type": entity_type}
    typed = [{**row, "entity_type": "order"} for row in (BASE, SECOND)]
    if entity_type is not None:
        typed = [{**row, "entity_type": entity_type} for row in (BASE, SECOND)]
    assert judged([push(50, "2", **of)], typed) == {"2": "both"}
    gone = [typed[0], {**GONE, "entity_type": typed[0]["entity_type"]}]
    last = judged([push(6, "1", **of)], gone)
    assert last["deleted"] in ("unknown: versions do not compare", "unknown: nothing ever pushed")


@pytest.mark.parametrize(
    ("event_type", "entity_type"),
    [
        *[("order.deleted", "order"), ("orders/delete", "order"), ("ORDER_DELETED", "order")],
        *[("OrderDeleted", "Order"), ("order-removed", "order"), ("orders.deleted", "orders")],
        *[("shop.order.deleted", "order"), ("line_item.deleted", "LineItem")],
        *[("companies/delete", "company"), ("deleted", "order"), ("order.deleted", None)],
    ],
)
def test_rule_13_types_that_announce_the_end_of_the_entity(event_type, entity_type):
    pulled = [{**row, "entity_type": entity_type} for row in (BASE, GONE)]
    pushed = [push(50, "1", event_type=event_type, entity_type=entity_type)]
    assert judged(pushed, pulled) == {"deleted": "both"}


def test_rule_13_a_poller_of_one_resource_says_nothing_of_others():
    url = "https://api.example/orders/1?expand=lines"
    one = polls(*[{"requested_at": moment, "url": url} for moment in (40, 60)])
    pushed = [push(6, "1"), push(50, "1", entity_id="x"), deleted(55, entity_id="x")]
    found = judged(pushed, [BASE], "x", works=False, polls=one)
    assert set(found.values()) == {"unknown: not polled"}


def test_rule_13_what_no_poll_shows_yet_is_pending():
    new = [push(950, "1", entity_id="x")]
    assert judged(new, [BASE], "x") == {"1": "pending"}
    assert judged([push(50, "1", entity_id="x")], [BASE], "x") == {"1": "unknown: not polled"}


def test_rule_13_polls_that_began_later_are_a_baseline():
    brief = [push(0.1, "1", entity_id="x"), deleted(0.2, entity_id="x")]
    assert judged(brief, [BASE], "x") == {
        "1": "unknown: baseline", "deleted": "unknown: baseline"
    }  # fmt: skip


def test_rule_13_an_event_that_takes_it_off_the_list_explains_the_vanishing():
    closed = push(50, "2", event_type="issue.closed")
    assert judged([closed], [BASE, GONE])["deleted"] == "unknown: versions do not compare"
    updated = push(50, "2", event_type="issue.updated")
    assert judged([updated], [BASE, GONE])["deleted"] == "poll_only"


# Rule 14


def test_rule_14_lags_are_never_corrected_or_clipped():
    row = rows_of(run([push(50, "2", occurred_at=60)], [BASE, SECOND])).iloc[0]
    assert seconds(row["push_lag"]) == -10
    assert seconds(row["poll_lag"]) == 10
    assert seconds(row["lead"]) == 20


def test_rule_14_the_version_is_the_time_where_the_event_has_none():
    version = "2026-01-01T00:00:45.5Z"
    pulled = [seen("2026-01-01T00:00:01Z", 5, None, 40), seen(version, 70, 40, 900)]
    row = rows_of(run([push(50, version)], pulled)).iloc[0]
    assert (seconds(row["occurred_at"]), seconds(row["push_lag"])) == (45.5, 4.5)
    missed = rows_of(run([], pulled)).iloc[0]
    assert (seconds(missed["poll_lag"]), seconds(missed["push_lag"])) == (24.5, None)
    assert pd.isna(rows_of(run([push(50, "2")], [BASE, SECOND]))["push_lag"][0])


def test_rule_14_the_first_delivery_counts():
    for moments in ((60, 50, 55, 61), (60, 50, 50, 55)):
        rows = rows_of(run([push(moment, "2") for moment in moments], [BASE, SECOND]))
        assert (rows["event_seq"][0], seconds(rows["received_at"][0])) == (3, 50)


def test_rule_14_a_version_in_epoch_seconds_is_a_time():
    row = rows_of(run([push(50, "1767225645")], [seen("1767225645", 70, 40, 900)])).iloc[0]
    assert (seconds(row["occurred_at"]), seconds(row["push_lag"])) == (45, 5)


def test_rule_14_clock_skew_is_an_interval_from_date_headers():
    said = polls({"requested_at": 40, "server_date": 45}, {"requested_at": 70, "server_date": 75})
    skew = run([push(50, "2")], [BASE, SECOND], polls=said).clock_skew
    assert (skew.low, skew.high) == (pytest.approx(3.8), pytest.approx(6.0))
    assert "ahead" in str(skew)


def test_rule_14_else_a_bound_from_negative_lags():
    skew = run([push(50, "2", occurred_at=60)], [BASE, SECOND]).clock_skew
    assert (skew.low, skew.high) == (10, None)
    assert "ahead by at least 10 s" in str(skew)
    assert run([push(50, "2", occurred_at=49)], [BASE, SECOND]).clock_skew is None


# Rule 15


def flags(pushed, pulled, version="2", **more):
    rows = rows_of(run(pushed, pulled, **more))
    row = rows[rows["version"] == version].iloc[0]
    return tuple(plain(row[name]) for name in ("duplicate", "out_of_order", "stale"))


def test_rule_15_a_retry_of_an_old_payload_is_all_three():
    pushed = [
        push(50, "2", event_id="e"),
        push(80, "3", event_id="f"),
        push(120, "2", event_id="e"),
    ]
    assert flags(pushed, [BASE, SECOND, seen("3", 100, 75, 900)]) == (True, True, True)


@pytest.mark.parametrize(
    ("pair", "twice"),
    [
        (({"event_id": "e"}, {"event_id": "e"}), True),
        (({"event_id": "e"}, {"event_id": "f"}), False),
        (({"event_id": "e"}, {"event_id": "f", "duplicate_of": 2}), True),
        (({"body": "same"}, {"body": "same"}), True),
        (({"body": "one"}, {"body": "other"}), False),
        (({"event_id": "e", "body": "same"}, {"event_id": "f", "body": "same"}), False),
    ],
)
def test_rule_15_duplicate(pair, twice):
    pushed = [push(50 + n, "2", **part) for n, part in enumerate(pair)]
    rows = rows_of(run(pushed, [BASE, SECOND]))
    assert bool(rows["duplicate"][0]) is twice
    assert rows["event_count"][0] == 2 - twice


def test_rule_15_a_duplicate_of_an_invalid_delivery_is_the_first():
    pushed = [push(50, "2", verified="invalid"), push(60, "2", duplicate_of=2)]
    assert flags(pushed, [BASE, SECOND]) == (False, False, False)


def test_rule_15_out_of_order_is_push_against_push_by_seq():
    assert flags([push(50, "3"), push(49, "2")], [BASE, THIRD])[1] is True
    assert flags([push(50, "2"), push(49, "3")], [BASE, THIRD])[1] is False


def test_rule_15_stale_is_strictly_after_a_newer_answer():
    pulled = [BASE, THIRD]
    assert flags([push(70, "2")], pulled)[2] is False
    assert flags([push(70.1, "2")], pulled)[2] is True


def test_rule_15_a_fetch_tells_too_that_a_payload_is_stale():
    fetched = fetches({"seq": 2, "fetched_at": 60, "version": "9"})
    pushed = [push(50, "2"), push(65, "2")]
    assert flags(pushed, [BASE, SECOND], fetches=fetched)[2] is True
    assert flags(pushed[:1], [BASE, SECOND], fetches=fetched)[2] is False


def test_rule_15_flags_are_false_without_a_delivery_and_na_without_an_order():
    assert flags([], [BASE, SECOND]) == (False, False, False)
    pulled = [seen("a", 5, None, 40), seen("b", 70, 40, 900)]
    assert flags([push(50, "b")], pulled, "b") == (False, None, None)
    assert flags([], pulled, "b") == (False, False, False)


def test_rule_15_a_deletion_is_newer_than_any_opaque_version():
    pulled = [seen("a", 5, None, 40), seen("b", 70, 40, 900, deleted=True)]
    assert flags([deleted(50), push(80, "a")], pulled, "a") == (False, True, True)


def mismatch(payload, state, **more):
    pulled = [BASE, SECOND | {"state": state}]
    rows = rows_of(run([push(50, "2", body=json.dumps(payload))], pulled, **more))
    return plain(rows["mismatch"][0])


@pytest.mark.parametrize(
    ("payload", "state", "paths"),
    [
        ({"n": 1}, {"n": 1.0}, []),
        ({"n": 1}, {"n": 2}, ["n"]),
        ({"n": "10.00"}, {"n": 10}, ["n"]),
        ({"n": True}, {"n": 1}, ["n"]),
        ({"t": "2026-01-01T00:00:00Z"}, {"t": "2026-01-01T01:00:00+01:00"}, []),
        ({"t": "2026-01-01T00:00:00Z"}, {"t": 1767225600}, []),
        ({"t": "2026-01-01T00:00:00Z"}, {"t": "2026-01-01T00:00:01Z"}, ["t"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, ["a.c"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a"]),
        ({"a": None}, {"a": None}, []),
        ({"a": None}, {"a": 1}, ["a"]),
        ({"a": 1, "b": 2}, {"a": 1, "c": 3}, []),
        ({"x.y": 1, "z": 1}, {"x.y": 2, "z": 2}, ["x\\.y", "z"]),
    ],
)
def test_rule_15_mismatch(payload, state, paths):
    envelope = {"id": "evt", "data": {"object": {"id": "1", **payload}}}
    for body in ({"id": "1", **payload}, {"data": {"id": "1", **payload}}, envelope):
        assert mismatch(body, {"id": "1", **state}) == paths


@pytest.mark.parametrize(
    ("payload", "state"),
    [
        ({"id": "evt", "type": "x"}, {"id": "1"}),
        ({"id": "1"}, {"id": "1", "a": 1}),
        ([1], {"a": 1}),
    ],
)
def test_rule_15_mismatch_is_na_where_nothing_compares(payload, state):
    assert mismatch(payload, state) is None


def test_rule_15_mismatch_of_every_delivery_and_of_a_given_state():
    pulled = [BASE, SECOND | {"state": {"id": "1", "a": 1, "b": 1}}]
    pushed = [push(50, "2", body='{"id": "1", "a": 2}'), push(51, "2", body='{"id": "1", "b": 2}')]
    assert rows_of(run(pushed, pulled))["mismatch"][0] == ["a", "b"]
    given = events(push(50, "2"))
    given["state"] = [{"a": 5}]
    assert compare(given, snapshots(*pulled)).changes["mismatch"][0] == ["a"]


def test_rule_15_mismatch_is_computed_on_first_access(monkeypatch):
    from webhooklab.comparison import table  # noqa: PLC0415

    calls = []
    monkeypatch.setattr(
        table, "pushed_states", lambda _, rows: calls.append(1) or [None] * len(rows)
    )
    changes = run([push(50, "2")], [BASE, SECOND]).changes
    assert not calls
    assert changes["mismatch"].isna().all()
    assert calls


# Rule 16


def test_rule_16_wasted_failed_and_baseline_polls():
    cost = polls(
        {"requested_at": 1, "changed": 0},  # the baseline
        {"requested_at": 2, "changed": 0, "request_count": 3},
        {"requested_at": 3, "changed": 2, "request_count": 3},
        {"requested_at": 4, "changed": 0, "status": 304},
        {"requested_at": 5, "changed": 0, "status": 500, "error": "500"},
    )
    comparison = run([push(50, "2")], [BASE, SECOND], polls=cost)
    summary = comparison.summary
    assert (summary["polls"], summary["wasted_polls"], summary["failed_polls"]) == (5, 2, 1)
    assert (summary["requests"], summary["wasted_requests"]) == (9, 4)
    cell = comparison.at_a_glance.loc["efficiency", "API (pull)"]
    assert cell == "9 requests, 4 (44 %) brought nothing new, 500 bytes"
    failing = comparison.at_a_glance.loc["failure handling", "API (pull)"]
    assert failing == "1 poll failed, retried"


@pytest.mark.parametrize(
    ("complete", "failed", "wasted"), [(True, 0, 1), (False, 2, 0), (None, 2, 0)]
)
def test_rule_16_what_is_not_there_is_an_answer(complete, failed, wasted):
    """A 404 is one where it proves absence: of one resource, and not of a list."""
    cost = polls(
        {"requested_at": 1, "changed": 1},
        {"requested_at": 2, "changed": 1, "status": 404, "complete": complete},
        {"requested_at": 3, "changed": 0, "status": 410, "complete": complete},
    )
    summary = run([push(50, "2")], [BASE, SECOND], polls=cost).summary
    assert (summary["failed_polls"], summary["wasted_polls"]) == (failed, wasted)


def test_rule_16_retried_after_something_else_than_2xx():
    pushed = [
        push(50, "2", event_id="e", status=500),
        push(60, "2", event_id="e", duplicate_of=2),
        push(61, "2", event_id="e", duplicate_of=2),
        push(62, "3", event_id="f", status=None),
        push(63, "3", event_id="f", duplicate_of=5),
    ]
    comparison = run(pushed, [BASE, SECOND])
    assert comparison.summary["retried"] == 2
    cell = comparison.at_a_glance.loc["failure handling", "Webhook (push)"]
    assert cell.startswith("2 retried by the provider, 0 never arrived")


def test_rule_16_what_was_not_measured_says_so():
    table = run([push(50, "2")], [BASE, SECOND]).at_a_glance
    assert list(table.columns) == ["API (pull)", "Webhook (push)"]
    assert list(table.index) == [
        *("who initiates", "timing", "efficiency", "needs a public URL", "best for"),
        "failure handling",
    ]
    assert table.loc["efficiency", "API (pull)"] == "not measured"
    assert table.loc["timing", "Webhook (push)"] == "not measured"
    assert run([], [BASE]).summary.isna()["polls"]


# Rule 17


def lives(*changes):
    """Pushed changes of entities: (entity, occurred_at)."""
    pushed = [
        push(t + 0.1, str(n), entity_id=e, occurred_at=t) for n, (e, t) in enumerate(changes, 1)
    ]
    pulled = [seen("0", -50, None, 900, entity_id=e) for e in {e for e, _ in changes}]
    return run(pushed, pulled, works=False)


def test_rule_17_the_expectation_over_a_random_phase():
    table = lives(("a", 100), ("a", 110), ("b", 115)).what_if(every=[5, 20])
    assert list(table.index) == [5, 20]
    # At 20 s: the first is overlooked with 1 - 10/20; the last of an entity never is.
    assert table.loc[20, "overlooked"] == pytest.approx(0.5)
    assert table.loc[5, "overlooked"] == 0
    assert table.loc[20, "useful_polls"] == pytest.approx(10 / 20 + 5 / 20 + 1)
    assert table.loc[5, "useful_polls"] == pytest.approx(3)
    assert table.loc[5, "late_mean"] == pytest.approx(2.5)
    assert table.loc[5, "late_p50"] == pytest.approx(2.5)
    # Lateness: weight 0.5 on (0, 10), twice weight 1 on (0, 20).
    assert table.loc[20, "late_mean"] == pytest.approx((0.5 * 5 + 10 + 10) / 2.5)


def test_rule_17_agrees_with_a_simulation():
    rng = __import__("random").Random(1)
    times = sorted(rng.uniform(0, 300) for _ in range(40))
    table = lives(*[("a", t) for t in times]).what_if(every=[7])
    seen_late, missed, rounds = [], 0, 3_000
    for _ in range(rounds):
        phase = rng.uniform(0, 7)
        for now, following in zip(times, [*times[1:], float("inf")], strict=True):
            late = (phase - now) % 7
            missed += now + late >= following
            seen_late += [late] if now + late < following else []
    assert table.loc[7, "overlooked"] == pytest.approx(missed / rounds, rel=0.05)
    assert table.loc[7, "late_mean"] == pytest.approx(sum(seen_late) / len(seen_late), rel=0.05)
    middle = sorted(seen_late)[len(seen_late) // 2]
    assert table.loc[7, "late_p50"] == pytest.approx(middle, rel=0.05)


def test_rule_17_says_how_many_of_how_many():
    pushed = [push(50, "2", occurred_at=49), push(51, "3")]
    table = run(pushed, [BASE, THIRD], works=False).what_if()
    assert (table.attrs["used"], table.attrs["changes"]) == (1, 2)
    assert "1 of 2" in table.sentence


def test_rule_17_from_polls_alone_shorter_intervals_are_na():
    stamps = [f"2026-01-01T00:0{n}:00Z" for n in range(4)]
    later = [seen(stamps[n], 60 * n + 5, 60 * n - 25) for n in (1, 2, 3)]
    pulled = [seen(stamps[0], 5, None, 40), *later]
    asked = polls(*[{"requested_at": 30 * n} for n in range(8)])
    invisible = [push(3, stamps[0], verified="valid")]
    table = run(invisible, pulled, works=False, polls=asked).what_if(every=[10, 120])
    assert not table["polls"].isna().any()
    from webhooklab.comparison.what_if import what_if  # noqa: PLC0415

    changes = run(invisible, pulled, works=False).changes
    alone = what_if(changes[changes["delivery_count"] == 0], [10, 120], observed=30)
    assert alone.loc[10].isna().all()
    assert not alone.loc[120].isna().any()
    assert "at least" in alone.sentence


@pytest.mark.parametrize("every", [[0], ["10 s"], None, 0])
def test_rule_17_refuses_an_interval_that_is_none(every):
    with pytest.raises(ValueError, match="positive"):
        lives(("a", 1)).what_if(every=every)


def test_rule_17_takes_one_interval_too():
    found = lives(("a", 1), ("a", 31))
    pd.testing.assert_frame_equal(found.what_if(every=30), found.what_if(every=[30]))
