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


def test_what_is_gone_or_no_object_has_no_patch(store):
    assert paired(store, b"[1]", b"[2]")["difference"] is None
    gone = json.loads(pairs.pair(store, 98, 99))
    assert gone["left"] == {"text": None, "why": "it is no longer there"}
