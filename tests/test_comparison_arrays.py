"""The vectorised steps of a comparison against plain loops, numbers of every size among them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooklab.comparison.arrays import NEVER, follow, order_by
from webhooklab.comparison.coded import Coded, coded, in_same_words

SECOND = 1_000_000
FIVE_YEARS = 5 * 365 * 86_400 * SECOND
words = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=8)


@st.composite
def pairs(draw):
    """Rows of a group and a number: small, whole seconds, times, or as large as they go."""
    step, most = draw(
        st.sampled_from([(1, 9), (SECOND, 9), (1, FIVE_YEARS), (1, 2**62), (2**61, 3), (2**40, 9)])
    )
    number = st.integers(-most, most).map(lambda n: n * step)
    group = st.integers(0, draw(st.sampled_from([3, 2**20])))
    rows = draw(st.lists(st.tuples(group, number), max_size=12))
    return np.array(rows, "i8").reshape(-1, 2).T


@settings(max_examples=400)
@given(pairs())
def test_an_order_by_two_columns_and_where_a_new_pair_begins(rows):
    high, low = rows
    order, new = order_by(high, low)
    sorted_rows = list(zip(high[order].tolist(), low[order].tolist(), strict=True))
    assert sorted(order.tolist()) == list(range(len(low)))
    assert sorted_rows == sorted(zip(high.tolist(), low.tolist(), strict=True))
    begins = [not n or row != sorted_rows[n - 1] for n, row in enumerate(sorted_rows)]
    assert new.tolist() == begins


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 3, 4, NEVER])), max_size=20))
def test_the_least_of_the_later_rows_of_a_group(rows):
    groups, values = np.array(sorted(rows, key=lambda row: row[0]), "i8").reshape(-1, 2).T
    later = [
        [v for g, v in zip(groups[n + 1 :], values[n + 1 :], strict=True) if g == groups[n]]
        for n in range(len(values))
    ]
    assert follow(values, groups).tolist() == [min(each, default=NEVER) for each in later]


@given(words, words)
def test_columns_in_the_same_words_say_what_they_said(one, other):
    columns = [pd.Series(each, dtype="str") for each in (one, other)]
    alike = in_same_words(*(coded(column) for column in columns))
    for column, found in zip(columns, alike, strict=True):
        pd.testing.assert_series_equal(found.texts(), column)
    number = {None: -1}
    for found in alike:
        assert len(found.words) == len(set(found.words))
    for text, found in zip(one + other, [n for each in alike for n in each.numbers], strict=True):
        assert number.setdefault(text, found) == found


@pytest.mark.parametrize("at", [[], [-1], [0, -1]])
def test_rows_of_a_column_of_which_one_may_be_none(at):
    column = coded(pd.Series(["a"], dtype="str"))
    taken = column.take(np.array(at, "i8"))
    assert [None if pd.isna(text) else text for text in taken.texts()] == [
        None if n < 0 else "a" for n in at
    ]
    assert taken.which("a".__eq__).tolist() == [n >= 0 for n in at]
    nothing = Coded(np.empty(0, "i8"), pd.Series([], dtype="str")).take(np.array(at, "i8"))
    assert nothing.texts().isna().all()
    assert len(nothing.texts()) == len(at)
