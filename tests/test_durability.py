"""Acknowledged means committed, in files that are their owner's alone."""

import sqlite3
import subprocess
import sys

import pytest

from tests.raw_http import Client, request
from webhooklab.store import Store

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
