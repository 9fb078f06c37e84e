"""Deleted is deleted: the bytes leave the files, `seq` is not given again, capture goes on."""

import contextlib
import subprocess
import threading

import pytest

from tests.processes import LabProcess
from tests.raw_http import Client, post, request
from tests.store_parts import arrival
from tests.waiting import until
from webhooklab.errors import StoreError
from webhooklab.store import Store, upkeep
from webhooklab.store.connection import connect

SECRET = b"customer-4711-lives-in"


def bytes_of(file):
    """Of all files, read by another process: to close one here drops SQLite's locks on it."""
    files = [str(each) for each in file.parent.glob(f"{file.name}*")]
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout


def test_the_bytes_are_gone_from_every_file(lab, file):
    for n in range(30):
        post(lab.url, SECRET + b"%d" % n * 3000, path=f"/{SECRET.decode()}")
    post(lab.url, b"stays")
    assert SECRET in bytes_of(file)
    size = len(bytes_of(file))
    assert lab.delete(lab.events.index[:30]) == 30
    assert SECRET not in bytes_of(file)
    assert len(bytes_of(file)) < size / 2
    with lab._parts.store.reading() as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,), "vacuumed"
    assert [each.body for each in lab] == [b"stays"]


def test_clear_forgets_the_log_too_and_seq_goes_on(lab, file):
    for _ in range(3):
        post(lab.url, SECRET)
    with Client(lab.url) as client:
        client.send(b"nonsense\r\n\r\n").rest()
    until(lambda: len(lab.log))
    assert lab.clear() == 3
    assert (len(lab), len(lab.log), len(lab.events)) == (0, 0, 0)
    assert SECRET not in bytes_of(file)
    post(lab.url)
    assert list(lab.events.index) == [4]


def test_what_is_not_there_is_no_matter(lab):
    post(lab.url)
    assert lab.delete([5, 6]) == 0
    assert lab.delete([1, 1]) == 1
    assert lab.delete([]) == 0


def test_capture_goes_on_meanwhile(lab, monkeypatch):
    monkeypatch.setattr(upkeep, "MAINTENANCE_CHUNK_ROWS", 20)
    lab._parts.store.append([arrival(b"old" * 1000) for _ in range(1000)])
    statuses = []

    def send():
        with Client(lab.url) as client:
            while threading.current_thread() in sending:
                statuses.append(client.ask(request(body=b"new")).status)

    sending = {threading.Thread(target=send) for _ in range(3)}
    for thread in list(sending):
        thread.start()
    until(lambda: statuses)
    before = len(statuses)
    assert lab.delete(range(1, 1001)) >= 990
    during = len(statuses) - before
    threads, _ = list(sending), sending.clear()
    for thread in threads:
        thread.join()
    assert during > 5
    assert set(statuses) == {200}
    assert set(lab.events[lab.events.index > 1003].body) == {b"new"}


def test_deleting_from_another_process_does_not_keep_the_listener_from_storing(file, monkeypatch):
    monkeypatch.setattr(upkeep, "MAINTENANCE_CHUNK_ROWS", 10)
    with LabProcess(file) as owner, contextlib.closing(Store(file)) as store:
        store.append([arrival(b"old" * 1000) for _ in range(300)])
        deleting = threading.Thread(target=store.delete, args=(range(1, 301),))
        deleting.start()
        statuses = set()
        while deleting.is_alive():
            statuses.add(post(owner.url).status)
        deleting.join()
        assert statuses == {200}


def test_a_reader_keeps_the_bytes_in_the_log_and_that_is_said(lab, file, monkeypatch):
    monkeypatch.setattr(upkeep, "CHECKPOINT_WAIT_SECONDS", 0.1)
    post(lab.url, SECRET)
    with contextlib.closing(connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM deliveries").fetchone()
        with pytest.raises(StoreError, match="Delete again"):
            lab.delete(1)
    lab.delete(1)
    assert SECRET not in bytes_of(file)
    assert post(lab.url).status == 200


def test_large_bodies_are_deleted_in_small_transactions():
    sizes = [(1, 10), (2, upkeep.MAINTENANCE_CHUNK_BYTES), (3, 5), (4, 5)]
    assert list(upkeep._light_parts(sizes)) == [[1], [2], [3, 4]]
    assert list(upkeep._light_parts([])) == []


def test_mapping_again_in_steps_keeps_what_was_deleted_away(lab, monkeypatch):
    monkeypatch.setattr(upkeep, "MAINTENANCE_CHUNK_ROWS", 7)
    monkeypatch.setattr(upkeep, "MAINTENANCE_CHUNK_BYTES", 2000)
    for n in range(20):
        post(lab.url, b'{"n": %d, "pad": "%b"}' % (n % 5, b"x" * (n * 100)))
    lab.delete([3, 10])
    lab.map(event_id="n")
    events = lab.events
    assert len(events) == 18
    assert events.event_id.tolist() == [str((seq - 1) % 5) for seq in events.index]
    firsts = events.groupby("event_id").apply(lambda group: group.index[0], include_groups=False)
    later = events[events.duplicate_of.notna()]
    assert (later.duplicate_of == later.event_id.map(firsts)).all()
    assert len(later) == 13
