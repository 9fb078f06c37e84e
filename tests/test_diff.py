"""`lab.diff`: a patch that applies, headers that differ, and both sides to read."""

import json
from html.parser import HTMLParser
from itertools import pairwise

import jsonpatch
import pandas as pd
import pytest

from tests.inputs import ODD, files, needs_corpora, send
from webhooklab.errors import UnknownDeliveryError

JSON = "application/json"


def test_a_patch_makes_the_right_body_of_the_left_one(lab):
    send(lab.url, [(JSON, b'{"a":1,"b":[1,2],"c":true}'), (JSON, b'{"b":[1,3],"c":1,"d":{}}')])
    made = lab.diff(1, 2)
    assert jsonpatch.apply_patch(lab[1].json(), made.patch) == lab[2].json()
    assert {"op": "replace", "path": "/c", "value": 1} in made.patch
    assert not made.same
    assert lab.diff(1, lab[1]).patch == []
    assert lab.diff(1, 1).same


def test_its_repr_counts_as_people_do(lab):
    send(lab.url, [(JSON, b'{"a":1}'), (JSON, b'{"a":2}'), (JSON, b'{"a":3,"b":4}')])
    assert ": 1 change in the body;" in repr(lab.diff(1, 2))
    assert ": 2 changes in the body;" in repr(lab.diff(1, 3))


@needs_corpora
def test_patches_of_real_payloads_apply(lab):
    real = [raw for name, raw in files("payloads").items() if "octokit/issues" in name]
    send(lab.url, [(JSON, raw) for raw in real])
    for left, right in pairwise(range(1, len(lab) + 1)):
        made = lab.diff(left, right)
        assert jsonpatch.apply_patch(lab[left].json(), made.patch) == lab[right].json()
        assert made.patch


def test_headers_that_differ_are_told_and_credentials_are_not(lab):
    send(lab.url, [(JSON, b"{}")], "/?token=s3cret1", Authorization="s3cret1", X_Same="1", X_A="1")
    send(lab.url, [(JSON, b"{}")], "/?token=s3cret2", Authorization="s3cret2", X_Same="1", X_B="2")
    made = lab.diff(1, 2)
    told = {name: (left, right) for name, left, right in made.headers}
    assert told["authorization"] == (["***"], ["***"])
    assert (told["x-a"], told["x-b"]) == ((["1"], []), ([], ["2"]))
    assert "x-same" not in told
    shown = made.rows()
    assert ("~", "authorization: ***", "authorization: ***") in shown
    assert {("-", "x-a: 1", ""), ("+", "", "x-b: 2")} <= set(shown)
    assert "s3cret" not in repr(made) + made._repr_html_()


def test_bodies_that_are_no_json(lab):
    send(lab.url, [("text/plain", b"a\nb\nc"), ("text/plain", b"a\nx\nc"), (None, bytes(40))])
    text, binary = lab.diff(1, 2), lab.diff(1, 3)
    assert text.patch is None
    assert "not both are JSON" in repr(text)
    assert ("~", "b", "x") in text.rows()
    assert ("=", "a", "a") in text.rows()
    assert any(right.startswith("00000010  00 00") for _, _, right in binary.rows())


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)


def test_nothing_from_the_wire_is_html(lab):
    evil = '<img src=x onerror=alert(1)></td><script>"'
    send(
        lab.url, [(JSON, json.dumps({evil: 1}).encode()), ("text/html", evil.encode())], X_Evil=evil
    )
    tags = Tags()
    tags.feed(lab.diff(1, 2)._repr_html_())
    assert tags.seen == {"style", "table", "tr", "th", "td", "p"}


def test_no_body_breaks_it(lab):
    send(lab.url, ODD.values())
    send(lab.url, [(JSON, b'{"a":' + b"9" * 30 + b"}"), (JSON, b'"' + b"x" * 2_000_000 + b'"')])
    for seq in range(2, len(lab) + 1):
        made = lab.diff(1, seq)
        assert len(made._repr_html_()) < 2_000_000
        assert repr(made)


def test_answers_of_two_targets(lab):
    rows = pd.DataFrame(
        {
            "target": ["http://a/", "http://b/"],
            "status": pd.array([200, None], "Int64"),
            "error": [None, "timeout"],
            "response_headers_json": ['[["Content-Type","application/json"]]', None],
            "response_body": [b'{"ok":true}', pd.NA],
        }
    )
    made = lab.diff(rows.iloc[0], rows.iloc[1])
    assert ("~", "status: 200", "status: ") in made.rows()
    assert made.headers == [("content-type", ["application/json"], [])]


def test_rows_and_seqs_as_an_index_gives_them(lab, tmp_path):
    send(lab.url, [(JSON, b'{"a": 1}'), (JSON, b'{"a": 2}')])
    patch = [{"op": "replace", "path": "/a", "value": 2}]
    first, second = lab.events.index
    assert lab.diff(lab.events.index[0], lab.events.index[1]).patch == patch
    assert lab.diff(lab.events.loc[first], second).patch == patch
    assert lab.diff(lab.find().iloc[0], lab[-1]).patch == patch
    assert lab[lab.events.index[1]].seq == second
    assert lab.fixture(lab.events.index[0], tmp_path).name == "test_delivery_1.py"
    assert lab.delete(lab.events.index[0]) == 1


def test_what_cannot_be_compared(lab):
    with pytest.raises(UnknownDeliveryError):
        lab.diff(1, 2)
    with pytest.raises(TypeError, match=r"lab\.attempts"):
        lab.diff("a", "b")
