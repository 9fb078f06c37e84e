"""What a relay hands on again is known again: in one commit, in the next, and after a restart."""

import contextlib

import pytest

from tests.store_parts import arrival
from webhooklab.envelope import Passage
from webhooklab.store import Repeated, Store, Stored, passages


@pytest.fixture
def store(file):
    with contextlib.closing(Store(file)) as opened:
        yield opened


def handed(mark, channel="relay c"):
    made = arrival(b"%r" % mark if isinstance(mark, int) else mark.encode())
    made.request.passage = Passage(channel, mark, 202)
    return made


def through(store, channel="relay c"):
    with store.reading() as connection:
        return passages.through(connection, channel)


def settle(store, reached, channel="relay c"):
    with store.writing() as connection:
        passages.settle(connection, channel, reached)


def test_what_comes_again_is_not_stored_again(store, file):
    first = store.append([handed(1), arrival(b"own"), handed(2), handed(1)])
    assert [type(each) for each in first] == [Stored, Stored, Stored, Repeated]
    assert first[3].seq == first[0].seq
    again = store.append([handed(2), handed(1, "another"), handed(3)])
    assert [(type(each), each.seq) for each in again] == [(Repeated, 3), (Stored, 4), (Stored, 5)]
    store.close()
    with contextlib.closing(Store(file)) as opened:
        assert [type(each) for each in opened.append([handed(3), handed("3")])] == [
            Repeated,
            Stored,
        ]
        assert opened.count() == 6


def test_all_up_to_there_has_come_whatever_came_beyond_it(store):
    store.append([handed(mark) for mark in (1, 2, 4)])
    assert through(store) == 2
    store.append([handed(3)])
    assert through(store) == 4
    settle(store, 4)
    assert through(store) == 4
    assert [type(each) for each in store.append([handed(2), handed(4), handed(5)])] == [
        Repeated,
        Repeated,
        Stored,
    ]
    settle(store, 3)  # what was settled stays so
    assert through(store) == 5


def test_only_so_many_marks_are_kept_the_newest(store):
    store.append([handed(f"m{number}", "smee") for number in range(10)])
    with store.writing() as connection:
        passages.forget_oldest(connection, "smee", 4)
    outcomes = store.append([handed(f"m{number}", "smee") for number in range(10)])
    assert [isinstance(each, Repeated) for each in outcomes] == [False] * 6 + [True] * 4
