"""Acknowledged means committed. `kill -9` at any moment loses no acknowledged delivery."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading

import psutil
import pytest

from tests.processes import Nursery
from tests.raw_http import Client, request
from tests.waiting import until
from webhooklab import read
from webhooklab.store import Store
from webhooklab.views import Views

ROUNDS = 20
SENDERS = 4
FRAMES_PER_ROUND = 50

_WITNESS = """
import sqlite3, sys
sys.path.insert(0, sys.argv[3])
from tests.raw_http import Client, request
connection = sqlite3.connect(f"file:{sys.argv[2]}?mode=ro", uri=True)
with Client(sys.argv[1]) as client:
    for n in range(200):
        answer = client.ask(request(body=b"%d" % n))
        rows = connection.execute("SELECT count(*) FROM raws WHERE body = ?", (b"%d" % n,))
        assert (answer.status, rows.fetchone()[0]) == (200, 1), n
"""


def test_another_process_sees_the_row_when_the_answer_arrives(lab, pytestconfig):
    witness = [sys.executable, "-c", _WITNESS, lab.url, str(lab.path), str(pytestconfig.rootpath)]
    subprocess.run(witness, check=True, timeout=60)


def test_commits_are_synchronised_with_the_disk(lab):
    for connect in (lab._parts.store._writer.alone, lab._parts.store.reading):
        with connect() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class Sender(threading.Thread):
    """Sends bodies that nobody else sends until the connection breaks; notes what was answered."""

    def __init__(self, url, name):
        super().__init__()
        self.url, self.prefix = url, name.encode()
        self.sent, self.acknowledged = [], []

    def run(self):
        try:
            with Client(self.url) as client:
                while True:
                    size = random.choice((0, 10, 1000, 100_000))
                    body = b"%b %d " % (self.prefix, len(self.sent)) + os.urandom(size)
                    self.sent.append(body)
                    if client.ask(request(body=body)).status == 200:
                        self.acknowledged.append(body)
        except (OSError, AssertionError):
            pass  # it was killed


def test_kill_9_under_load(file):
    with Nursery() as nursery:
        senders = []
        for number in range(ROUNDS):
            url, pid = nursery.born(file)
            crowd = [Sender(url, f"{number}.{each}") for each in range(SENDERS)]
            for sender in crowd:
                sender.start()
            read_frames_meanwhile(file)
            enough = random.randrange(1, 50)
            until(lambda: sum(len(each.acknowledged) for each in crowd) >= enough)  # noqa: B023
            os.kill(pid, signal.SIGKILL)
            for sender in crowd:
                sender.join()
            until(lambda: not psutil.pid_exists(pid))  # noqa: B023
            senders += crowd
    check(read(file), senders)


def read_frames_meanwhile(file):
    store = Store(file, write=False)
    views = Views(store)
    seen = views.events()
    for _ in range(FRAMES_PER_ROUND):
        frame = views.events()
        assert frame.index.is_monotonic_increasing
        assert frame.index[: len(seen)].equals(seen.index)
        assert (frame.body.map(len) == frame.body_bytes).all()
        seen = frame
    store.close()


def check(events, senders):
    kept = set(events.body)
    assert len(kept) == len(events), "nothing is there twice"
    for sender in senders:
        missing = set(sender.acknowledged) - kept
        assert not missing, f"{len(missing)} acknowledged deliveries are gone"
    assert kept <= {body for sender in senders for body in sender.sent}, "nothing is invented"
    assert events.index.is_unique
    assert sum(len(sender.acknowledged) for sender in senders) > ROUNDS


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-lock"])
def test_only_the_owner_reads_the_files(file, suffix, lab):
    with Client(lab.url) as client:
        client.ask(request())
    mode = file.with_name(file.name + suffix).stat().st_mode
    assert mode & 0o777 == 0o600


def test_a_file_that_others_could_read_becomes_private(lab, file):
    lab.close()
    file.chmod(0o644)
    store = Store(file)
    assert file.with_name(file.name + "-wal").stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600
    store.close()


def test_a_file_without_a_write_ahead_log_gets_one_back(lab, file):
    lab.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    store = Store(file)
    with store.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
