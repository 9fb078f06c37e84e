"""Bodies that are read at once say what they say when they are read one by one, to the type."""

import json

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.inputs import ODD, files, needs_corpora
from webhooklab import payloads
from webhooklab.payloads import PayloadColumns


def columns_of(parts, *, at_once):
    """The payloads of parts that come one after the other, and how many were read at once."""
    columns = PayloadColumns()
    read = []
    if not at_once:
        columns._append_at_once = lambda *_: False
    else:
        append_at_once = columns._append_at_once
        columns._append_at_once = lambda *part: read.append(append_at_once(*part)) or read[-1]
    seq = 0
    for part in parts:
        seqs = list(range(seq, seq + len(part)))
        columns.append({"seq": seqs, "content_type": [None] * len(part), "body": part})
        seq += len(part)
    return columns.frame(), sum(read)


def check(*parts):
    """Both ways give the same frame; returns how many parts were read at once."""
    slow, _ = columns_of(parts, at_once=False)
    fast, count = columns_of(parts, at_once=True)
    pd.testing.assert_frame_equal(fast, slow)
    for name in slow.columns:
        assert [shape(cell) for cell in fast[name]] == [shape(cell) for cell in slow[name]]
    return count


def shape(cell):
    """A cell with the types of all that is in it."""
    if isinstance(cell, dict):
        return {key: shape(value) for key, value in cell.items()}
    return list(map(shape, cell)) if isinstance(cell, list) else (type(cell), repr(cell))


@pytest.fixture(autouse=True)
def always_worth_it(monkeypatch):
    monkeypatch.setattr(payloads, "_WORTH_IT_ROWS", 1)
    monkeypatch.setattr(payloads, "_MOST_FAILURES", 0)


def dumped(*values, indent=None):
    return [json.dumps(value, indent=indent).encode() for value in values]


ORDER = {
    "id": 'é\u2028\0\\"',
    "n": 2**63 - 1,
    "paid": True,
    "total": 1.5,
    "note": None,
    "empty": {},
    "at": "2026-03-01T00:00:00Z",
    "of": {"a": 1, "b": {"c": "x"}},
    "lines": [{"sku": "a", "price": 9.5, "of": ["2026-03-01"]}],
    "tags": ["x", "y"],
    "none": [],
}


def test_what_is_alike_is_read_at_once():
    assert check(dumped(ORDER), dumped(ORDER, ORDER), dumped(ORDER, indent=2)) == 2
    changed = ORDER | {"n": -1, "paid": None, "total": 7, "of": {"b": {"c": None}, "a": 2}}
    assert check(dumped(ORDER), dumped(changed | {"at": None}, {"id": "y"})) == 0
    del changed["empty"]
    assert check(dumped(ORDER), dumped(changed, {"id": "y"})) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        *[({"a": 1}, {"a": 1.5}), ({"a": 1}, {"a": 2**63}), ({"a": 1}, {"b": 1})],
        *[({"a": 1.5}, {"a": 2**53}), ({"a": 1.5}, {"a": -(2**53) - 1}), ({"a": 1}, {"a": True})],
        *[({"a": "x"}, {"a": 1}), ({"a": "x"}, {"a": "\ud800"}), ({"a": None}, {"a": 1})],
        ({"a": {"b": 1}}, {"a": {}}),
        *[({"a": {"b": 1}}, {"a": 1}), ({"a": {}}, {"a": {"b": 1}}), ({"a": {}}, {"a": []})],
        *[({"a": [1]}, {"a": [1.5]}), ({"a": [1.5]}, {"a": [1]}), ({"a": [1.5]}, {"a": [1.0]})],
        *[({"a": [{"b": 1}]}, {"a": [{}]}), ({"a": [{"b": 1}]}, {"a": [{"b": None}]})],
        *[
            ({"a": [{"b": 1}]}, {"a": [None]}),
            ({"a": [[1]]}, {"a": [["x"]]}),
            ({"a": []}, {"a": 1}),
        ],
        *[({"a": [1]}, {"a": "x"}), ({"a": [1]}, [1]), ({"a": 1}, None), ({"a": "x"}, "NaN")],
    ],
    ids=repr,
)
def test_what_could_come_out_otherwise_is_read_one_by_one(first, then):
    assert check(dumped(first), dumped(first, then)) == 0
    assert check(dumped(first, then), dumped(then, first)) in (0, 1)


@pytest.mark.parametrize("name", sorted(set(ODD) - {"deep objects", "deep enough to read"}))
def test_an_odd_body_among_them(name):
    good = dumped({"id": 1, "s": "x", "v": 1.5})
    check(good, [*good, ODD[name][1], *good])


@pytest.mark.parametrize(
    "parts",
    [
        [b'{"a":1}{"a":2}', b'{"a":3}'],
        [b'{"a":1}{"a":2}', b"  "],
        [b'{"a":1}{"a":2}', b"", b'{"a":3}'],
        [b'{"a":"}', b'{"}'],
        [b'{"a":{}', b"{}}"],
        [b'{"a":1},{"a":2}'],
        [b'{"a":NaN}'],
        [b'{"a":-Infinity}'],
        [b'{"a":1e999}'],
        [b'{"a":"\xff"}'],
        [b'{"a":1,"a":2}'],
        [b'\xef\xbb\xbf{"a":1}'],
        [b' \n{"a":1}\t\r'],
        [b'\x0b{"a":1}'],
        [b'{"a":01}'],
        [b'{"a":1.0}'],
        [b'{"a":1e2}'],
        [b'{"\\u0061":5}'],
    ],
    ids=repr,
)
@pytest.mark.parametrize("known", [b'{"a":1}', b'{"a":1.5}', b'{"a":"x"}', b'{"a":null}'])
def test_broken_and_odd_texts(parts, known):
    check([known], [known, *parts, known])


names = st.sampled_from(["a", "b", "c"])
scalars = st.sampled_from([None, 1, 2.5, 1.0, -0.0, 2**53, True, "x", "", "é", 0.1, 2**63])
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(names, nested, max_size=3)


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.lists(objects, min_size=1, max_size=3), min_size=2, max_size=4), st.booleans())
@example([[{"a": 1}], [{"a": 1}]], True)
def test_any_objects(parts, spread):
    check(*(dumped(*part, indent=2 if spread else None) for part in parts))


@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_objects_of_one_shape(data):
    kinds = st.sampled_from(
        [
            st.integers(-5, 5) | st.none(),
            st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
            st.text(max_size=3),
            st.none() | st.booleans(),
            st.lists(st.integers(-5, 5), max_size=2),
            st.lists(st.fixed_dictionaries({"k": st.sampled_from([0.5, "x"])}), max_size=2),
            st.fixed_dictionaries({"d": st.integers(0, 3)}, optional={"e": st.text(max_size=2)}),
        ]
    )
    one = st.fixed_dictionaries({}, optional={name: data.draw(kinds) for name in "abc"})
    parts = data.draw(st.lists(st.lists(one, min_size=1, max_size=4), min_size=2, max_size=4))
    check(*(dumped(*part) for part in parts))


@needs_corpora
def test_real_payloads():
    some = [body for name, body in files("payloads").items() if name.endswith(".json")]
    for body in some[::4]:
        check([body], [body, body])


def test_it_gives_up_on_what_it_cannot_read(monkeypatch):
    monkeypatch.setattr(payloads, "_MOST_FAILURES", 5)
    part = dumped({"a": "x"}, {"a": 1})
    tried = []
    columns = PayloadColumns()
    read_at_once = columns._fields.read_at_once
    columns._fields.read_at_once = lambda *some: tried.append(1) or read_at_once(*some)
    for _ in range(100):
        columns.append({"seq": [1, 2], "content_type": [None] * 2, "body": part})
    assert len(tried) < 10
