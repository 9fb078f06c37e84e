"""A few rounds of each scenario; `python -m tests.crashes --rounds 200` goes on from there."""

import contextlib
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crashes import every  # noqa: F401 - each module registers its scenarios
from tests.crashes.arrived import CaptureFile, Kept
from tests.crashes.rounds import run
from tests.crashes.scenario import SCENARIOS
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Judge
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
SEED = 20


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_altered_or_invented(name):
    tally = run(name, ROUNDS, SEED)
    assert tally.good, tally
    assert tally.kills >= ROUNDS
    assert tally.acknowledged > ROUNDS


@pytest.fixture
def captured(lab, file):
    """What was sent to a lab, and a function that changes the file behind its back."""
    ledger = Ledger()
    with Senders(lab.url, ledger, "captured"):
        until(lambda: len(ledger.acknowledged) >= 20)
    lab.close()

    def change(statement):
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(statement)

    return ledger, change


def judged(ledger, file):
    judge = Judge(ledger, CaptureFile(file))
    judge.look_at_all()
    return judge.findings


def test_what_is_whole_is_found_whole(captured, file):
    ledger, _ = captured
    assert not judged(ledger, file)


def test_what_is_lost_is_found(captured, file):
    ledger, change = captured
    change("DELETE FROM raws WHERE seq = 5")
    change("DELETE FROM deliveries WHERE seq = 5")
    assert len(judged(ledger, file).lost) == 1


@pytest.mark.parametrize(
    "change_to",
    [
        "UPDATE raws SET body = CAST(body || 'x' AS BLOB) WHERE seq = 5",
        "UPDATE raws SET headers_json = replace(headers_json, 'X-Twice', 'X-twice') WHERE seq = 5",
        "UPDATE deliveries SET query_string = query_string || 'x' WHERE seq = 5",
        "UPDATE deliveries SET method = 'GET' WHERE seq = 5",
    ],
)
def test_what_is_altered_is_found(captured, file, change_to):
    ledger, change = captured
    change(change_to)
    assert len(judged(ledger, file).altered) == 1


def test_what_nobody_sent_is_found(captured, file):
    ledger, _ = captured
    name = next(iter(ledger.acknowledged))
    del ledger.sent[name]
    assert judged(ledger, file).invented == {name}


def test_what_is_there_twice_is_found_unless_its_key_says_so(captured, file):
    ledger, _ = captured
    once = next(iter(CaptureFile(file).whole()))

    def repeated(first, second):
        judge = Judge(ledger, CaptureFile(file))
        judge._judge([replace(once, key=first), replace(once, key=second)])
        return judge.findings.repeated

    assert repeated(None, None) == repeated("a", "b") == {once.name}
    assert repeated("a", "a") == set()
    assert isinstance(once, Kept)


def test_the_command_has_an_overview_and_a_status():
    command = [sys.executable, "-m", "tests.crashes", "--rounds", "1", "--only", "kernel"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("--seed ")
    assert "acknowledged" in done.stdout
    assert done.stdout.endswith("1 passed, 0 failed\n")
