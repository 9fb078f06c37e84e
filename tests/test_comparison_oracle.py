"""`compare` against the slow oracle, on small worlds of every sort (rules 1 to 15)."""

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import comparison_parts as parts
from tests.comparison_oracle import judge, judge_runs
from webhooklab.comparison import compare

COMPARED = (
    *("verdict", "reason", "delivery_count", "event_count", "duplicate", "out_of_order", "stale"),
)

GRACE = 10.0
VERSIONS = {
    "numbers": ["1", "2", "3", "10", "11"],
    "decimals": ["1", "1.5", "2.0", "2", "12345678901234567890123"],
    "instants": [
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:00:02Z",
        "2026-01-01T01:00:02.500+01:00",
        "2026-01-01T00:00:02.250000Z",
        "2026-01-01T00:00:02.123456789Z",
    ],
    "epochs": ["1767225601", "1767225602", "1767225602000", "2026-01-01T00:00:03Z"],
    "tokens": ["a", "b", "c"],
    "mixed": ["1", "a", "2026-01-01T00:00:01Z"],
}
moments = st.integers(0, 60)


@st.composite
def worlds(draw):
    """Any rows at all: what never happens in life must be judged the same, too."""
    ids = draw(st.sampled_from([["1"], ["1", "2"], ["1", "2", "3"]]))
    versions = {each: VERSIONS[draw(st.sampled_from(sorted(VERSIONS)))] for each in ids}
    events = [_event(draw, ids, versions, n) for n in range(draw(st.integers(0, 6)))]
    snapshots = []
    for each in ids:
        snapshots += _snapshots(draw, each, versions[each])
    if not snapshots:
        snapshots = _snapshots(draw, ids[0], versions[ids[0]], least=1)
    fetches = [
        {"seq": e["seq"], "entity_id": e["entity_id"], "status": draw(st.sampled_from([200, 500])),
         "fetched_at": e["received_at"] + draw(st.integers(0, 9)),
         "version": draw(st.sampled_from([None, *versions[e["entity_id"]]]))}
        for e in events if e["version"] is None and draw(st.booleans())
    ]  # fmt: skip
    spans = draw(st.sampled_from([[(-9, None)], [(-9, 30), (30, 99)], [(-9, 25), (26, None)], []]))
    return events, snapshots, fetches, spans, draw(st.integers(60, 90))


def _event(draw, ids, versions, number):
    entity_id = draw(st.sampled_from(ids))
    deletion = draw(st.integers(0, 9)) == 0
    return {
        "seq": number + 1,
        "entity_id": entity_id,
        "received_at": draw(moments),
        "version": None if deletion else draw(st.sampled_from([None, *versions[entity_id] * 2])),
        "deletion": deletion,
        "event_type": "order.deleted" if deletion else "order.updated",
        "event_id": draw(st.sampled_from([None, "e1", "e2"])),
        "verified": draw(st.sampled_from(["valid", "valid", "unsigned", "unchecked", "invalid"])),
        "body": draw(st.sampled_from(["{}", "[1]"])),
    }


def _snapshots(draw, entity_id, versions, least=0):
    """States of one entity, one after the other; the last one may be its end."""
    times = sorted(draw(st.lists(moments, min_size=least, max_size=4, unique=True)))
    rows, before = [], draw(st.sampled_from([None, -5]))
    for number, time in enumerate(times):
        last = times[number + 1] - 1 if number + 1 < len(times) else max(time, 58)
        gone = number > 0 and number == len(times) - 1 and draw(st.booleans())
        rows.append({"poller": "orders", "entity_id": entity_id, "not_seen_at": before,
                     "polled_at": time, "last_seen_at": last, "deleted": gone,
                     "version": draw(st.sampled_from(versions))})  # fmt: skip
        before = time - 0.5 if number + 1 < len(times) else None
    return rows


@settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(worlds())
def test_rule_01_to_15_as_the_oracle_reads_them(world):
    events, snapshots, fetches, spans, now = world
    versioned = {e["entity_id"] for e in events if e["version"] or e["deletion"]}
    several = len({s["entity_id"] for s in snapshots}) > 1
    expected = judge(events, snapshots, fetches, spans=spans, grace=GRACE, now=now, is_list=several)
    clean = [{k: v for k, v in e.items() if k not in ("deletion", "own", "text")} for e in events]
    result = compare(
        parts.events(*clean),
        parts.snapshots(*snapshots),
        fetches=parts.fetches(*fetches),
        listening=parts.listening(*spans) if spans else None,
        grace=GRACE,
        now=parts.at(now),
    )
    taking_part = {e["entity_id"] for e in events if e["verified"] != "invalid"}
    if not taking_part & {s["entity_id"] for s in snapshots}:
        assert len(result.changes) == 0
        return
    assert _rows(result.changes) == sorted(
        ((entity, *(row[name] for name in COMPARED)) for (entity, _), row in expected.items()),
        key=repr,
    ), versioned


def _rows(changes):
    cells = changes[["entity_id", *COMPARED]].itertuples(index=False)
    return sorted((tuple(parts.plain(cell) for cell in row) for row in cells), key=repr)


statuses = st.sampled_from("abc")


@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(st.tuples(moments, statuses), min_size=1, max_size=6),
    st.lists(st.tuples(statuses, moments), min_size=1, max_size=6, unique_by=lambda s: s[1]),
    st.booleans(),
    st.integers(60, 90),
)
def test_rule_12_as_the_oracle_reads_it(pushed, shown, begins, now):
    shown = sorted(shown, key=lambda each: each[1])
    before = [-5 if begins else None, *(polled - 0.5 for _, polled in shown[:-1])]
    states = [(s, polled, b) for (s, polled), b in zip(shown, before, strict=True)]
    expected = judge_runs(pushed, states, grace=GRACE, now=now)
    result = compare(
        parts.events(*[
            {"received_at": t, "body": f'{{"id": "1", "status": "{s}"}}'} for t, s in pushed
        ]),
        parts.snapshots(*[
            {"polled_at": p, "not_seen_at": b, "last_seen_at": p - 0.5,
             "state": {"id": "1", "status": s}} for s, p, b in states
        ]),
        listening=parts.listening(),
        grace=GRACE,
        now=parts.at(now),
    )  # fmt: skip
    found = [
        (row.verdict, parts.plain(row.reason), parts.seconds(row.polled_at))
        for row in result.changes.itertuples()
    ]
    assert sorted(found, key=repr) == [
        (v, r, None if p is None else float(p)) for v, r, p in expected
    ]
