"""What happens to a capture file from outside while a lab has it: made read-only, taken, read."""

import contextlib
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tests.crashes.arrived import CaptureFile
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Judge
from tests.processes import LabProcess, Process
from tests.raw_http import post
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.errors import StoreError

WITHOUT_RIGHTS = "import os; os.geteuid() or os.seteuid(65534)"
"""The superuser may write to whatever is read-only; who has been that is nobody then."""


@pytest.fixture
def folder():
    """One that a process without rights reaches."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)
        Path(made).chmod(0o755)


def test_made_read_only_while_it_is_open(folder):
    """What was acknowledged is there all the same, and more is taken when it may be written."""
    file = folder / "captures.db"
    with LabProcess(file) as process:
        assert post(process.url, b"before").status == 200
        process.say(WITHOUT_RIGHTS + "; print(1, flush=True)")
        process.hear()
        for each in folder.glob("captures.db*"):
            each.chmod(0o444)
        folder.chmod(0o555)
        answers = {f"{number}": post(process.url, b"%d" % number).status for number in range(20)}
        process.kill()
    acknowledged = {body for body, status in answers.items() if status == 200}
    kept = {body.decode() for body in read(file).body}
    assert acknowledged | {"before"} <= kept <= answers.keys() | {"before"}
    folder.chmod(0o755)
    for each in folder.glob("captures.db*"):
        each.chmod(0o600)
    with LabProcess(file) as process:
        assert process.head == len(kept)
        assert post(process.url, b"after").status == 200


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal", "-shm")])
def test_deleted_while_it_is_open_nothing_more_is_acknowledged(lab, file, suffixes):
    assert post(lab.url, b"before").status == 200
    for suffix in suffixes:
        file.with_name(file.name + suffix).unlink()
    answer = post(lab.url, b"after")
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    lab.close()
    with Lab(file) as again:
        assert post(again.url, b"in a new file").status == 200
        assert [each.body for each in again] == [b"in a new file"]


@pytest.mark.parametrize("suffixes", [("-wal",), ("-wal", "-shm")])
def test_its_log_is_deleted_and_what_was_acknowledged_is_saved(file, suffixes):
    with LabProcess(file) as process:
        sent = [b"%d" % number for number in range(50)]
        for body in sent:
            assert post(process.url, body).status == 200
        for suffix in suffixes:
            file.with_name(file.name + suffix).unlink()
        assert post(process.url, b"after").status == 503
        assert post(process.url, b"after").status == 503
        process.kill()
    assert read(file).body.tolist() == sent
    with Lab(file) as lab:
        assert post(lab.url, b"again").status == 200
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_lab_whose_log_was_deleted_says_so_and_goes_on_when_opened_again(lab, file):
    post(lab.url, b"before")
    file.with_name(file.name + "-wal").unlink()
    with pytest.raises(StoreError, match=r"log .* moved or deleted.*closed and opened again"):
        lab.map(event_type="type")
    with Lab(file) as again:
        assert post(again.url, b"after").status == 200
    assert [each.body for each in again] == [b"before", b"after"]


_WRITER = """
import json, sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
for line in sys.stdin:
    other.execute(line)
    print(json.dumps(line), flush=True)
"""


def test_another_process_that_writes_holds_senders_up_and_loses_nothing(lab, file):
    ledger = Ledger()
    with Process(_WRITER, str(file)) as other, Senders(lab.url, ledger, "busy"):
        for end in ("ROLLBACK", "COMMIT") * 3:
            other.say("BEGIN IMMEDIATE")
            other.hear()
            waiting = len(ledger.sent)
            until(lambda: len(ledger.sent) >= waiting or lab._parts.store.waiting)  # noqa: B023
            other.say(end)
            other.hear()
            enough = len(ledger.acknowledged) + 5
            until(lambda: len(ledger.acknowledged) >= enough)  # noqa: B023
    judge = Judge(ledger, CaptureFile(file))
    judge.look_at_all()
    assert not judge.findings
    assert ledger.broken == 0


def sqlite_tool(file, query):
    """By the system's sqlite3: another build of SQLite than Python's, in a process of its own."""
    command = ["sqlite3", "-readonly", str(file), query]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_reader_with_another_build_in_its_own_process(file):
    ledger, counts, over = Ledger(), [], threading.Event()

    def look():
        while not over.is_set():
            counts.append(int(sqlite_tool(file, "SELECT count(*) FROM deliveries")))

    with LabProcess(file) as process:
        reader = threading.Thread(target=look)
        with Senders(process.url, ledger, "reader"):
            reader.start()
            until(lambda: len(counts) >= 10 and len(ledger.acknowledged) >= 100)
        process.kill()
        until(lambda: counts[-1] >= len(ledger.acknowledged))
        over.set()
        reader.join()
    assert counts == sorted(counts), "it never sees less than before"
    assert sqlite_tool(file, "PRAGMA integrity_check") == "ok"
    judge = Judge(ledger, CaptureFile(file))
    judge.look_at_all()
    assert not judge.findings
