"""The capture file: groups of commits, `seq`, duplicates, and what one poisoned item does."""

import contextlib
import queue
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from tests.raw_http import Client, request
from tests.store_parts import arrival, cloud_event
from webhooklab.errors import StoreError
from webhooklab.store import Refusal, Store, reading
from webhooklab.store.committer import Committer


@pytest.fixture
def store(file):
    opened = Store(file)
    yield opened
    opened.close()


class Gate:
    """A commit that goes on when it is let, and notes what it was called with."""

    def __init__(self):
        self.called, self.may = queue.Queue(), queue.Queue()

    def __call__(self, items):
        self.called.put(list(items))
        error = self.may.get(timeout=10)
        if error and "poison" in items:
            raise error
        return [item.upper() for item in items]


def test_all_that_arrives_during_a_commit_goes_into_the_next_one():
    gate, told = Gate(), queue.Queue()
    committer = Committer(gate, limit=4)
    committer.submit(["a"], told.put)
    assert gate.called.get(timeout=10) == ["a"]
    for group in (["b", "c"], ["d"], ["e", "f"], ["g"]):
        committer.submit(group, told.put)
    for _ in range(3):
        gate.may.put(None)
    committer.stop()
    assert [gate.called.get_nowait() for _ in range(2)] == [["b", "c", "d", "e", "f"], ["g"]]
    assert [told.get_nowait() for _ in range(5)] == [["A"], ["B", "C"], ["D"], ["E", "F"], ["G"]]


def test_what_is_told_to_be_committed_waits_no_more():
    told = queue.Queue()
    committer = Committer(lambda items: items, limit=4)
    committer.submit(["a", "b"], lambda _: told.put(committer.waiting))
    assert told.get(timeout=10) == 0
    committer.stop()


def test_a_failed_commit_is_the_outcome_of_each_item_and_the_next_is_tried():
    gate, told, error = Gate(), queue.Queue(), StoreError("full")
    committer = Committer(gate, limit=9)
    for items, may in ((["poison", "b"], error), (["c"], None)):
        gate.may.put(may)
        committer.submit(items, told.put)
        gate.called.get(timeout=10)
    committer.stop()
    assert [told.get_nowait() for _ in range(2)] == [[error, error], ["C"]]


def test_an_item_that_cannot_be_stored_harms_no_other():
    gate, told = Gate(), queue.Queue()
    committer = Committer(gate, limit=9)
    for _ in range(4):
        gate.may.put(OverflowError("too large"))
    committer.submit(["a", "poison", "c"], told.put)
    first, poisoned, last = told.get(timeout=10)
    committer.stop()
    assert (first, last) == ("A", "C")
    assert "too large" in str(poisoned)


def test_a_stopped_committer_takes_nothing_and_one_that_listens_badly_is_no_harm():
    committer, told = Committer(list, limit=9), queue.Queue()
    committer.submit(["a"], lambda _: 1 / 0)
    assert committer.submit(["b"], told.put)
    assert told.get(timeout=10) == ["b"]
    committer.stop()
    committer.stop()
    assert not committer.submit(["c"], told.put)


def test_there_are_fewer_transactions_than_deliveries_under_load(lab):
    def send():
        with Client(lab.url) as client:
            for _ in range(25):
                client.send(request(body=b"x"))
                client.answer()

    threads = [threading.Thread(target=send) for _ in range(16)]
    with (
        lab._parts.store._writer.alone()
    ):  # the first commit takes a while: all others meet in the next
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert len(lab) == 400
    assert lab.events.stored_at.nunique() < 200, "one instant for each transaction"


def test_poison_among_deliveries(store):
    poison = replace(arrival(b"b"), status=2**70)  # more than SQLite can hold
    outcome = queue.Queue()
    store.submit([arrival(b"a"), poison, Refusal(1, None, 400, "r"), arrival(b"c")], outcome.put)
    first, poisoned, refusal, last = outcome.get(timeout=10)
    assert (first.seq, refusal, last.seq) == (1, None, 2)
    assert isinstance(poisoned, StoreError)
    assert [each.body for each in store.following(0, 9)] == [b"a", b"c"]


def test_seq_goes_up_and_is_never_given_twice(store, file):
    assert [each.seq for each in store.append([arrival()] * 3)] == [1, 2, 3]
    store.delete([2, 3])
    assert [each.seq for each in store.append([arrival()] * 2)] == [4, 5]
    store.delete([1, 4, 5])
    store.close()
    again = Store(file)
    assert (again.count(), again.head) == (0, 5)
    assert [each.seq for each in again.append([arrival()])] == [6]
    again.close()


def test_a_duplicate_is_told_also_within_a_group_and_after_a_restart(store, file):
    ids = ["a", "b", "a", "a"]
    assert [each.duplicate_of for each in store.append(map_events(ids))] == [None, None, 1, 1]
    store.close()
    again = Store(file)
    assert [each.duplicate_of for each in again.append(map_events(["b", "c"]))] == [2, None]
    again.close()


def map_events(ids):
    return [cloud_event(each) for each in ids]


def test_the_log_is_bounded(store, monkeypatch):
    monkeypatch.setattr("webhooklab.store.writing.MAX_LOG_ROWS", 10)
    store.append([Refusal(n, None, 413, "r") for n in range(25)])
    assert [row[1] for row in store.refusals()] == list(range(15, 25))


def test_very_long_texts_are_read_in_smaller_steps(store):
    store.append([arrival(target="/" + "x" * 900) for _ in range(50)])
    with store.reading() as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 20_000)
        chunks = list(store.chunks(connection))
    assert [seq for chunk in chunks for seq in chunk["seq"]] == list(range(1, 51))
    assert len(chunks) > 1


def test_chunks_hold_bounded_bytes(store, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK_BYTES", 1000)
    store.append([arrival(b"x" * size) for size in (400, 500, 600, 5000, 1)])
    with store.reading() as connection:
        chunks = [chunk["body_bytes"] for chunk in store.chunks(connection)]
    assert chunks == [[400, 500], [600], [5000], [1]]


def test_a_closed_store_reads_and_does_not_write(store):
    store.append([arrival(b"kept")])
    store.close()
    store.close()
    assert store.delivery(1).body == b"kept"
    with pytest.raises(StoreError, match="not open for writing"):
        store.append([arrival()])
    with pytest.raises(Exception, match="closed"):
        store.remember("a", "b")
    assert not store.path.with_name("captures.db-wal").exists()


def test_processes_that_make_the_file_at_the_same_time(file):
    code = f"""
from pathlib import Path
from webhooklab.store import Store
input()
store = Store(Path({str(file)!r}))
store.remember("k", "v")
store.close()
"""
    command = [sys.executable, "-c", code]
    makers = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=-1) for _ in range(6)]
    for maker in makers:
        maker.stdin.write(b"\n")
        maker.stdin.flush()
    for maker in makers:
        assert maker.communicate()[1] == b""
    with contextlib.closing(Store(file)) as made:
        assert made.recall("k") == "v"
