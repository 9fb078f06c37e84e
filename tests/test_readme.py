"""The README's cells are run, and its output is compared."""

import re
import threading
from pathlib import Path

import httpx
import pandas as pd
import pytest

from tests.waiting import until
from webhooklab import read

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def blocks(language):
    return [text for name, text in BLOCKS if name == language]


def test_the_two_commands_stand_on_one_line_each():
    first, second = blocks("sh")[:2]
    assert first.strip().endswith('".[lab]" && .venv/bin/webhooklab demo')
    assert second.strip().endswith('".[test]" && .venv/bin/pytest')
    assert "\n" not in first.strip() + second.strip()


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """A namespace in an empty folder, whose lab and shop are closed afterwards."""
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    yield names
    for name in ("shop", "lab"):
        if name in names:
            names[name].close()


def test_the_cells_do_what_is_printed_below_them(cells, capsys):
    opening, looking, more, shop, pull, compare, genuine, sending, leaving = blocks("python")
    exec(opening, cells)
    lab = cells["lab"]
    assert re.fullmatch(r"http://127.0.0.1:\d+/\n", capsys.readouterr().out)
    httpx.post(lab.url + "hooks", content=b'{"order":{"id":42}}  ')
    with pd.option_context("display.width", 200):
        shown = repr(eval(looking, cells))
    assert shown.split() == blocks("text")[1].split()
    senders = [threading.Timer(0.5, httpx.post, (lab.url,)) for _ in range(3)]
    for sender in senders:
        sender.start()
    exec(more, cells)
    for sender in senders:
        sender.join()
    assert lab.events["entity_id"].tolist()[0] == "42"
    with lab.expect(20):
        exec(shop, cells)
    exec(pull, cells)
    until(lambda: len(lab.snapshots))
    exec(compare, cells)
    assert "No verdicts" not in cells["comparison"].verdict
    exec(genuine, cells)
    assert lab.find("provider:stripe")["verified"].tolist() == ["valid"]
    assert len(lab.retries()) == 0
    exec(sending, cells)
    assert len(lab.attempts) >= 3
    cells["forward"].stop()
    rows = len(lab)
    exec(leaving, cells)
    assert len(lab) == rows
    assert read("captures.har").index.equals(lab.events.index)
    assert [path.suffix for path in sorted(Path("tests").iterdir())] == [".body", ".py"]
