"""Two deliveries held against each other, as the inbox's browser gets them."""

import json

import pytest

from tests.store_parts import arrival
from tests.test_inbox_feed import Browser
from webhooklab.inbox import pairs
from webhooklab.inbox.answers import Answers
from webhooklab.store import Store

DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000


@pytest.fixture
def store(file):
    opened = Store(file)
    yield opened
    opened.close()


def paired(store, *contents):
    left, right = (each.seq for each in store.append([arrival(each) for each in contents]))
    browser = Browser()
    question = {"kind": "pair", "id": "7", "left": left, "right": right}
    Answers(store, lambda _text: b"", browser.send).answer(question)
    [(message, buffer)] = browser.messages
    assert message == {"kind": "paired", "id": "7"}
    return json.loads(buffer)


def test_a_patch_makes_the_right_one_of_the_left_one(store):
    found = paired(
        store, b'{"a": 1, "b": 10000000000000000001}', b'{"a": 2, "b": 10000000000000000001}'
    )
    assert json.loads(found["difference"]) == [{"op": "replace", "path": "/a", "value": 2}]
    assert found["left"]["text"].endswith('"b":10000000000000000001}')
    assert found["right"]["why"] == ""


@pytest.mark.parametrize("body", [b"plain", b"", DEEP])
def test_what_cannot_be_read_says_why(store, body):
    found = paired(store, b"{}", body)
    assert (found["left"]["text"], found["right"]["text"]) == ("{}", None)
    assert "cannot be read" in found["right"]["why"]
    assert found["difference"] is None


def test_lists_have_a_patch_too_and_what_is_too_large_has_none(store):
    found = paired(store, b"[1]", b"[2]")
    assert json.loads(found["difference"]) == [{"op": "replace", "path": "/0", "value": 2}]
    large = json.dumps(["x" * 600_000]).encode()
    assert paired(store, large, large)["difference"] is None


def test_headers_that_differ_are_told_and_credentials_are_not(store):
    given = [[("X-A", "1"), ("X-Api-Key", "one")], [("x-a", "1"), ("X-Api-Key", "two")]]
    left, right = store.append([arrival(b"{}", "/", each) for each in given])
    found = json.loads(pairs.pair(store, left.seq, right.seq))
    assert found["headers"] == [["x-api-key", ["***"], ["***"]]]


def test_what_is_gone_is_said(store):
    gone = json.loads(pairs.pair(store, 98, 99))
    assert gone["left"] == {"text": None, "why": "it is no longer there"}
    assert gone["headers"] == []
