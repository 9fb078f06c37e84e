"""States as JSON: the same fingerprint for the same state, the paths that differ."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooklab import states

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(), JSON))
def test_order_of_keys_does_not_count_and_dumps_go_there_and_back(state):
    turned = dict(reversed(state.items()))
    assert states.fingerprint(state) == states.fingerprint(turned)
    assert states.changed_fields(state, turned) == []
    assert json.loads(states.dump(state)) == state


@settings(max_examples=100, deadline=None)
@given(JSON, JSON)
def test_another_fingerprint_has_another_field_and_the_other_way_round(one, other):
    differs = states.fingerprint(one) != states.fingerprint(other)
    assert differs == bool(states.changed_fields(one, other))


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, None), ("1", 1), ([], {})])
def test_types_count(one, other):
    assert states.fingerprint({"a": one}) != states.fingerprint({"a": other})
    assert states.changed_fields({"a": one}, {"a": other}) == ["a"]


def test_a_dot_in_a_key_is_told_from_a_level():
    assert states.changed_fields({"a.b": 1}, {"a": {"b": 1}}) == ["a.b", "a\\.b"]


def test_contradiction_is_about_what_both_say():
    assert states.contradicts({"a": 1}, {"a": 1, "b": 2}) is False
    assert states.contradicts({"a": 1}, {"a": 2}) is True
    assert states.contradicts({"a": 1}, {"b": 2}) is None
