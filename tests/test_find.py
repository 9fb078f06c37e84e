"""The filter language: what each filter finds is data, and the browser is held to it as well."""

import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.inputs import naughty_strings, needs_corpora, send
from webhooklab.errors import FilterError
from webhooklab.headers import Headers
from webhooklab.instants import parse_instant
from webhooklab.records import (
    EVENT_COLUMNS,
    Arrival,
    Event,
    Interpretation,
    Request,
    Verification,
)
from webhooklab.store import Store
from webhooklab.views import Views

CASES = json.loads(Path(__file__).with_name("filter_cases.json").read_text())
EVENT_FIELDS = ("event_type", "event_id", "entity_type", "entity_id", "version")


def arrival(row):
    """A row of the frame as what would have made it."""
    body = row["body"] if isinstance(row["body"], bytes) else row["body"].encode()
    request = Request(
        received_at=parse_instant(row["received_at"]),
        method=row["method"],
        target=row["path"] + ("?" + row["query_string"] if row["query_string"] else ""),
        headers=Headers.from_json(row["headers_json"]),
        body=body,
        source=row["source"],
        remote=row["remote"],
    )
    event = Event(**{name: row[name] for name in EVENT_FIELDS})
    verification = Verification(row["verified"], row["verified_reason"])
    return Arrival(request, Interpretation(row["provider"], 1, event), row["status"], verification)


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("find") / "captures.db")
    store.append([arrival(row) for row in CASES["rows"]])
    yield Views(store)
    store.close()


def test_the_rows_are_what_the_frame_says(views):
    events = views.events().reset_index()
    for row, (_, event) in zip(CASES["rows"], events.iterrows(), strict=True):
        for name, value in row.items():
            found = None if pd.isna(event[name]) else event[name]
            read = {"received_at": datetime.fromisoformat, "body": str.encode}.get(name, same)
            assert found == read(value)


def same(value):
    return value


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["filter"])
def test_a_filter_finds(views, case):
    assert views.find(case["filter"]).index.tolist() == case["seqs"]


@pytest.mark.parametrize("text", CASES["errors"])
def test_what_is_no_time_is_an_error(views, text):
    with pytest.raises(FilterError, match="is not a time: write it as"):
        views.find(text)


def test_last_since_and_columns(views):
    assert views.find(last=2).index.tolist() == [7, 8]
    assert views.find("type:order", last=2).index.tolist() == [4, 5]
    assert views.find(last=0).empty
    assert views.find(last=-1).empty
    assert len(views.find(last=10**30)) == 8
    assert views.find(since="2026-03-07").index.tolist() == [7, 8]
    assert views.find("path:/test", since=datetime(2026, 3, 3, tzinfo=UTC)).index.tolist() == [3]
    assert views.find(since=pd.Timestamp("2026-03-07T00:00+00:00")).index.tolist() == [7, 8]
    assert len(views.find(since=timedelta(days=100_000))) == 8
    assert len(views.find(since=timedelta.max)) == 8
    assert views.find(since=timedelta.min).empty
    assert list(views.find(columns=["body", "path", "body"]).columns) == ["body", "path"]
    assert list(views.find(columns="path").columns) == ["path"]
    assert views.find(columns=[]).index.tolist() == list(range(1, 9))
    assert list(views.find().columns) == [name for name in EVENT_COLUMNS if name != "body"]


def test_a_span_counts_back_from_now(lab):
    send(lab.url, [(None, b"x")])
    assert len(lab.find(since="15min")) == len(lab.find(since=timedelta(hours=1))) == 1
    assert lab.find(since=datetime.now(UTC) + timedelta(hours=1)).empty


@pytest.mark.parametrize("since", ["soon", "", "1e30 days", pd.NaT, None.__class__, [], "nan"])
def test_what_is_neither_time_nor_span_is_an_error(views, since):
    with pytest.raises(FilterError, match="neither a time nor a span"):
        views.find(since=since)


def test_an_unknown_column_is_an_error(views):
    with pytest.raises(FilterError, match="no column 'colour'"):
        views.find(columns=["path", "colour"])


def test_too_much_of_a_filter_is_an_error(views):
    for text in ("x" * 100_000, "a " * 1_000, "*" * 60_000):
        with pytest.raises(FilterError):
            views.find(text)
    assert views.find("type:" + "*a" * 4_000).empty


@needs_corpora
def test_naughty_strings_are_only_text(views):
    read = 0
    for text in naughty_strings():
        with contextlib.suppress(FilterError):  # some have more words than a filter may have
            views.find(f'{text} path:{text} type:{text} -"{text}')
            read += 1
    assert read > 500


@settings(max_examples=150, deadline=None, database=None)
@given(text=st.text(max_size=60) | st.text(alphabet="ab:*\"\\-_%' \ud800\0é", max_size=30))
@example(text="\ud800")
@example(text="type:\ud800")
@example(text='body:"\0')
def test_no_text_raises_anything_but_a_filter_error(views, text):
    try:
        found = views.find(text)
    except FilterError:
        return
    assert set(found.index) <= set(range(1, 9))


# An oracle that shares nothing with the language's own reading

FIELDS = {"type": "event_type", "id": "event_id", "path": "path", "entity_id": "entity_id"}
words = st.text(alphabet='aAbé.%_\\"\0 *-:', max_size=4)


@dataclass
class Condition:
    field: str | None
    value: str
    negated: bool

    def __str__(self):
        quoted = '"' + self.value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return "-" * self.negated + (f"{self.field}:" if self.field else "") + quoted

    def holds(self, row):
        return self.negated != bool(self.found(row))

    def found(self, row):
        wanted = lower(self.value)
        if self.field is None:
            names = ("method", "path", "query_string", "provider", *EVENT_FIELDS[:4], "body")
            return any(wanted in lower(row[name]) for name in names if row[name] is not None)
        text = row[FIELDS[self.field]]
        if text is None:
            return False
        if self.field == "path":
            return wanted in lower(text)
        is_part = self.field == "type" and like(lower(text), wanted + ".*")
        return like(lower(text), wanted) or is_part


def lower(text):
    """In lower case, of A to Z alone."""
    return "".join(chr(ord(char) + 32) if "A" <= char <= "Z" else char for char in text)


def like(text, pattern):
    """Whether all of the text is the pattern, in which `*` is any text."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return text[:1] == pattern[0] and like(text[1:], pattern[1:])


optional = st.none() | st.text(alphabet='aAbé.%_\\"-:', max_size=5)
rows = st.fixed_dictionaries(
    {"event_type": optional, "event_id": optional, "entity_id": optional}
    | {"path": st.text(alphabet="aAbé.%_\\-:", max_size=5).map("/".__add__)}
    | {"body": st.text(alphabet='aAbé.%_\\"\0 *-:', max_size=8)}
)
conditions = st.builds(Condition, st.sampled_from([None, *FIELDS]), words, st.booleans()).filter(
    lambda each: "*" not in each.value or "\0" not in each.value
)


@settings(max_examples=60, deadline=None, database=None)
@given(some=st.lists(rows, min_size=1, max_size=4), wanted=st.lists(conditions, max_size=3))
def test_it_finds_what_a_plain_reading_of_the_conditions_finds(tmp_path_factory, some, wanted):
    full = [CASES["rows"][-1] | {"event_type": None} | row for row in some]
    store = Store(tmp_path_factory.mktemp("oracle") / "captures.db")
    store.append([arrival(row) for row in full])
    found = Views(store).find(" ".join(map(str, wanted))).index.tolist()
    store.close()
    assert found == [
        seq for seq, row in enumerate(full, 1) if all(each.holds(row) for each in wanted)
    ]
