"""The widget: one module for the browser, its display, the page it leaves behind."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.test_inbox_feed import add, arrival
from webhooklab import progress
from webhooklab.inbox import Description, Inbox, snapshot_html
from webhooklab.signatures.verification import invalid
from webhooklab.store import Store


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "captures.db")
    yield opened
    opened.close()


def describe():
    return Description(url="http://127.0.0.1:1/", status="listening", file="captures.db")


def no_export(path, text):
    raise AssertionError(f"nobody asked to write {text!r} to {path}")


def test_nothing_runs_before_it_is_shown(store):
    inbox = Inbox(store, describe, no_export)
    inbox.close()
    assert inbox._feed._thread is None


def test_it_is_one_widget_and_closes_twice(store):
    inbox = Inbox(store, describe, no_export)
    assert inbox.widget is inbox.widget
    inbox.close()
    inbox.close()
    assert not inbox._feed._thread.is_alive()


def test_a_closed_one_still_answers(store):
    add(store, 1)
    inbox = Inbox(store, describe, lambda path, _text: path.write_text("csv"))
    sent = []
    inbox.widget.push = lambda message, buffers: sent.append((message["kind"], buffers))
    inbox.close()
    sent.clear()
    inbox._hear({"kind": "hello"})
    inbox._hear({"kind": "body", "seq": 1})
    inbox._hear({"kind": "export", "id": "a", "filter": ""})
    kinds = [kind for kind, _ in sent]
    assert "rows" in kinds
    assert "details" in kinds
    assert sent[-1] == ("exported", [b"csv"])


def test_an_export_too_large_for_a_browser_says_what_to_do(store, monkeypatch):
    monkeypatch.setattr("webhooklab.inbox.inbox.EXPORT_BYTES", 3)
    inbox = Inbox(store, describe, lambda path, _text: path.write_text("four"))
    with pytest.raises(Exception, match=r"lab\.export"):
        inbox._exported("")


def test_an_export_for_a_browser_shows_no_bar_in_a_cell(store, capsys):
    def export(path, _text):
        with progress.bar(2, "writing", delay=0) as advance:
            advance(1)
        path.write_text("csv")

    assert Inbox(store, describe, export)._exported("") == b"csv"
    assert capsys.readouterr().err == ""
    export(Path(os.devnull), "")
    assert "writing" in capsys.readouterr().err


def test_the_snapshot_is_text_and_says_less_than_the_rows(store):
    evil = "<script>alert(1)</script>"
    secret = [("X-Header", "h3ader")]
    add(store, 1, target=f"/{evil}?q=qu3ry", event_type=evil, headers=secret, body=b"b0dy")
    add(store, 2)
    page = snapshot_html(store, describe())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    for kept_back in ("h3ader", "qu3ry", "b0dy"):
        assert kept_back not in page
    assert "2 deliveries" in page
    assert page.index("<td>2</td>") < page.index("<td>1</td>")


def test_the_snapshot_has_the_newest_rows_only(store):
    add(store, *range(30))
    page = snapshot_html(store, describe(), rows=10)
    assert page.count("<tr>") == 11
    assert "the newest 10 below" in page


def test_the_snapshot_does_not_tell_an_address_that_cannot_be_guessed(store):
    public = Description(url="http://192.0.2.1:8000/gu3ss/", status="closed", file="captures.db")
    page = snapshot_html(store, public)
    assert "gu3ss" not in page
    assert "http://192.0.2.1:8000/***/" in page


def test_the_snapshot_says_what_the_table_said(store):
    store.append([replace(arrival(1), status=503), replace(arrival(2), verification=invalid("no"))])
    page = snapshot_html(store, describe())
    assert "<td>503</td>" in page
    assert ">invalid</td>" in page
    assert "unchecked" not in page


def test_the_snapshot_of_nothing_and_of_one(store):
    assert "<table" not in snapshot_html(store, describe())
    add(store, 1)
    assert "captures.db: 1 delivery; as of" in snapshot_html(store, describe())
