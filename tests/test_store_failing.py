"""The store fails: 503 with Retry-After, nothing half-written, and it recovers by itself."""

import contextlib
import logging
import sqlite3
import subprocess

import pytest

from tests.processes import Process
from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.store import connection as store_connection


def recovers(lab, sent):
    """What was refused is not there, what is sent now is, and the log tells."""
    before = len(lab)
    assert post(lab.url, b"recovered").status == 200
    assert lab[-1].body == b"recovered"
    assert len(lab) == before + 1
    until(lambda: len(lab.log))
    assert lab.log.status.iloc[-1] == 503
    assert f"{sent} deliveries could not be stored" in lab.log.reason.iloc[-1]


def fails(lab, body=b"lost"):
    answer = post(lab.url, body)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of its own, soon full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a disk of its own can be mounted by the superuser only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill_up(filler):
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as full:
        while True:
            full.write(b"x" * 4096)


def test_a_full_disk(tiny_disk, caplog):
    file = tiny_disk / "captures.db"
    with Lab(file) as lab, caplog.at_level(logging.ERROR):
        filler = tiny_disk / "filler"
        fill_up(filler)
        for _ in range(3):
            fails(lab, b"lost" * 20_000)
        assert "The disk is full" in caplog.text or "disk I/O error" in caplog.text
        assert len(caplog.records) == 1, "said once, not for each delivery"
        filler.unlink()
        recovers(lab, 3)
        assert len(lab) == 1
    assert read(file).body.tolist() == [b"recovered"]


def test_a_full_disk_where_a_process_of_its_own_listens(tiny_disk):
    file = tiny_disk / "captures.db"
    with Lab(file, listener="process") as lab:
        post(lab.url, b"before")
        fill_up(tiny_disk / "filler")
        for _ in range(3):
            fails(lab, b"lost" * 20_000)
        assert any("is 100% full" in each for each in lab.health().warnings)
        (tiny_disk / "filler").unlink()
        recovers(lab, 3)
        assert lab.health().lost >= 3
    assert read(file).body.tolist() == [b"before", b"recovered"]


def test_a_file_that_may_not_grow(lab):
    with lab._parts.store._writer.alone() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
    fails(lab, b"lost" * 20_000)
    recovers(lab, 1)
    assert list(lab.events.index) == [1]


def test_a_lock_that_another_holds_for_too_long(file, monkeypatch):
    monkeypatch.setattr(store_connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    with Lab(file) as lab, contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        fails(lab)
        with Client(lab.url) as client:
            assert client.ask(request()).status == 503
            other.execute("ROLLBACK")
            assert client.ask(request(body=b"kept")).status == 200, "the connection is kept"
        recovers(lab, 2)
        assert [each.body for each in lab] == [b"kept", b"recovered"]


WITHOUT_LOCKS = """
import json, sys
from tests.without_locks import refuse_locks
from webhooklab import Lab, WebhookLabError, read
from webhooklab.store import connection
connection.BUSY_TIMEOUT_SECONDS = 0.1
refuse_locks()
for begin in (Lab, lambda file: Lab(file, listener="process"), read):
    try:
        said = repr(begin(sys.argv[1]))
    except WebhookLabError as error:
        said = str(error)
    print(json.dumps(said), flush=True)
"""


@pytest.mark.parametrize("fresh", [True, False])
def test_a_file_system_that_refuses_locks(file, fresh):
    if not fresh:
        with Lab(file) as lab:
            post(lab.url, b"before")
    with Process(WITHOUT_LOCKS, str(file)) as process:
        for _ in range(3):
            assert "refuses locks" in (said := process.hear())
            assert "local disk" in said
    assert {each.name for each in file.parent.iterdir()} <= {file.name, f"{file.name}-lock"}
    with Lab(file) as lab:
        assert post(lab.url, b"after").status == 200
        bodies = [each.body for each in lab]
    assert bodies == [b"before", b"after"][fresh:]


def test_a_file_that_is_moved_away_and_put_back(lab, file):
    post(lab.url, b"before")
    away = file.with_name("away.db")
    file.rename(away)
    fails(lab)
    away.rename(file)
    recovers(lab, 1)
    assert [each.body for each in lab] == [b"before", b"recovered"]


def test_a_file_that_is_replaced(lab, file):
    file.rename(file.with_name("away.db"))
    file.write_bytes(b"something else")
    fails(lab)
    assert file.read_bytes() == b"something else"
    assert lab.listening


def test_an_interpreter_that_raises_keeps_no_delivery_out(lab, caplog):
    class Broken:
        def interpret(self, request):
            raise RecursionError("too deep")

    lab._parts.server.ingress.interpreter = Broken()
    assert post(lab.url, b"{}").status == 200
    assert lab[1].event_type is None
    assert "captured all the same" in caplog.text


def test_one_sender_that_cannot_be_answered_costs_no_other_its_answer(lab):
    ingress, answers = lab._parts.server.ingress, []

    class Broken:
        def reply(self, answer):
            raise ValueError("no such answer")

    class Whole:
        reply = staticmethod(answers.append)

    waiting = [(None, "first", Broken()), (None, "second", Whole())]
    lab._parts.server._background.call(ingress._reply, waiting, [None, None])
    assert answers == ["second"]


def test_mappings_of_another_process_that_cannot_be_read_cost_no_answer(lab, caplog):
    def broken():
        raise OSError("unreadable")

    lab._parts.store.on_foreign_change = broken
    with contextlib.closing(sqlite3.connect(lab.path)) as other, other:
        other.execute("INSERT OR REPLACE INTO meta VALUES ('a', 'b')")
    assert post(lab.url).status == 200
    assert "could not be read" in caplog.text
