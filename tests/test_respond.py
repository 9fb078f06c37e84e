"""What senders get by `lab.respond`: on the wire, in the row, and which rule it is that says."""

import contextlib
import json
import random
import sqlite3
import time

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.processes import LabProcess
from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab, Response
from webhooklab.errors import AnswerError, AttachedError, ClosedError
from webhooklab.store import Store
from webhooklab.store import connection as store_connection

PAGE = "https://page.example"


def statuses(lab):
    return [None if pd.isna(status) else status for status in lab.events["status"]]


def asked(lab, *paths):
    """The statuses that senders get, each checked against its row."""
    got = [post(lab.url, path=path).status for path in paths]
    assert statuses(lab)[-len(paths) :] == got
    return got


# What is sent


def test_a_status_with_headers_and_a_body(lab):
    lab.respond(429, body={"retry": True}, headers={"Retry-After": 7, "X-Request-Id": "a b"})
    answer = post(lab.url)
    assert (answer.status, json.loads(answer.body)) == (429, {"retry": True})
    assert answer.headers == {
        "content-type": "application/json",
        "retry-after": "7",
        "x-request-id": "a b",
        "content-length": str(len(answer.body)),
    }
    assert statuses(lab) == [429]


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        (b"\x00raw", b"\x00raw", "application/octet-stream"),
        ("caf\u00e9", b"caf\xc3\xa9", "text/plain; charset=utf-8"),
        ("", b"", None),
        ([1, None], b"[1,null]", "application/json"),
        ({}, b"{}", "application/json"),
    ],
)
def test_a_body_has_the_content_type_that_fits(lab, body, sent, content_type):
    lab.respond(body=body)
    answer = post(lab.url)
    assert (answer.status, answer.body) == (200, sent)
    assert answer.headers.get("content-type") == content_type
    lab.respond(body=body, headers=[("content-type", "text/html")])
    with Client(lab.url) as client:
        raw = client.send(request(headers=("Connection: close",))).rest()
    assert raw.lower().count(b"content-type") == 1
    assert b"text/html" in raw


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_has_no_length(lab, status):
    lab.respond(status)
    with Client(lab.url) as client:
        assert client.ask(request()).headers == {}
        assert client.ask(request(body=b"x")).status == status, "the connection goes on"
    assert statuses(lab) == [status] * 2


def test_a_reset_has_no_content(lab):
    lab.respond(205)
    assert post(lab.url).headers == {"content-length": "0"}


def test_head_has_the_headers_alone(lab):
    lab.respond(503, body="not now")
    with Client(lab.url) as client:
        client.send(request("HEAD"))
        assert client.answer(bodiless=True).headers["content-length"] == "7"
        assert client.ask(request("GET")).body == b"not now"


def test_a_status_that_nobody_has_named(lab):
    lab.respond(299)
    with Client(lab.url) as client:
        assert client.send(request()).answer().status == 299
        client.send(b"POST / HTTP/1.0\r\n\r\n")
        assert client.rest().startswith(b"HTTP/1.1 299 \r\n")


NONE_OF_THEIRS = "The header .* is set by the listener"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"status": 100}, "200 to 599"),
        ({"status": 101}, "200 to 599"),
        ({"status": 600}, "200 to 599"),
        ({"status": True}, "number like 503, not of type bool"),
        ({"status": "503"}, "number like 503, not of type str"),
        ({"status": 204, "body": "x"}, "has no body"),
        ({"status": 304, "body": {}}, "has no body"),
        ({"body": 7}, "not of type int"),
        ({"body": {"a": {1}}}, "cannot be sent as JSON"),
        ({"body": [float("nan")]}, "cannot be sent as JSON"),
        ({"headers": {"X": "a\r\nY: b"}}, "text of one line"),
        ({"headers": {"X": "a\nb"}}, "text of one line"),
        ({"headers": {"X": "a\x00b"}}, "text of one line"),
        ({"headers": {"X": "\u20ac"}}, "text of one line"),
        ({"headers": {"X": None}}, "text of one line"),
        ({"headers": {"X: Y": "a"}}, "no name of a header"),
        ({"headers": {"": "a"}}, "no name of a header"),
        ({"headers": {"X\r\n": "a"}}, "no name of a header"),
        ({"headers": {1: "a"}}, "no name of a header"),
        ({"headers": {"Content-Length": "1"}}, NONE_OF_THEIRS),
        ({"headers": {"transfer-encoding": "chunked"}}, NONE_OF_THEIRS),
        ({"headers": [("CONNECTION", "close")]}, NONE_OF_THEIRS),
        ({"headers": {"Access-Control-Allow-Origin": "*"}}, "allow_origins"),
        ({"headers": 7}, "a mapping, or pairs"),
        ({"headers": ["abc"]}, "a mapping, or pairs"),
        ({"delay": -1}, "delay=-1: pass a number from 0 to 300"),
        ({"delay": 301}, "from 0 to 300"),
        ({"delay": float("nan")}, "from 0 to 300"),
        ({"delay": "1"}, "from 0 to 300"),
        ({"times": 0}, "times=0: pass 1 or more"),
        ({"times": 1.5}, "pass 1 or more"),
        ({"times": True}, "pass 1 or more"),
        ({"failure_rate": 1.1}, "from 0 to 1"),
        ({"failure_rate": 30}, "from 0 to 1"),
        ({"path": 7}, "path=7"),
        ({"status": print, "body": "x"}, "leave body= and headers= out"),
        ({"status": print, "headers": {}}, "leave body= and headers= out"),
    ],
)
def test_what_cannot_be_sent_is_said_at_once_and_changes_nothing(lab, given, message):
    lab.respond(201)
    with pytest.raises(AnswerError, match=message):
        lab.respond(**given)
    assert asked(lab, "") == [201]


texts = st.text(max_size=8) | st.text(st.characters(max_codepoint=0xFF), max_size=8)
answers = st.builds(
    dict,
    status=st.integers(-1, 700),
    body=texts | st.binary(max_size=8) | st.lists(st.none() | st.integers(), max_size=2),
    headers=st.none()
    | st.dictionaries(texts, texts | st.integers(), max_size=3)
    | st.lists(st.tuples(texts, texts), max_size=3),
)


@given(said=answers)
@example({"status": 200, "body": "\ud800", "headers": {"X": "\x85\xa0"}})
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_taken_is_sent_as_one_well_formed_answer(lab, said):
    try:
        response = Response(**said)
    except AnswerError:
        return
    lab.respond(lambda _: response)
    with Client(lab.url) as client:
        answer = client.ask(request())
        assert (answer.status, answer.body) == (said["status"], response.answer.body)
        lab.respond()
        assert client.ask(request()).status == 200, "nothing is left of the answer before"
    for name, value in response.answer.headers:
        assert name.lower() in answer.headers, (name, value)


# Which rule says


def test_the_first_so_many(lab):
    rule = lab.respond(503, times=3)
    assert asked(lab, *[""] * 5) == [503, 503, 503, 200, 200]
    assert rule.answered == 3
    assert repr(rule) == "<Rule answers 503 for 0 more deliveries; 3 answered>"


def test_later_rules_win_and_older_ones_answer_what_they_leave(lab):
    lab.respond(201)
    lab.respond(202, path="orders")
    lab.respond(503, path="/orders/eu/", times=1)
    assert asked(lab, "orders/eu", "orders/eu/1", "orders", "ordersx") == [503, 202, 202, 201]
    lab.respond(204)
    assert asked(lab, "orders/eu", "orders", "") == [204] * 3


def test_a_cell_that_is_run_again_replaces_its_rule(lab):
    for _ in range(2):
        lab.respond(503, times=2)
        assert asked(lab, "", "", "") == [503, 503, 200]
    lab.respond(418, path="/")
    lab.respond(503)
    assert len(lab._parts.lookout.notices) == 1


def test_a_rule_is_stopped_and_all_are_cleared(lab):
    older, rule = lab.respond(201), lab.respond(503, path="/a")
    rule.stop()
    rule.stop()
    assert asked(lab, "a") == [201]
    assert "stopped" in repr(rule)
    lab.respond(503, path="/a")
    assert lab.respond() is None
    assert asked(lab, "a", "") == [200, 200]
    older.stop()


def test_a_target_that_is_no_path_is_meant_by_all(lab):
    lab.respond(503)
    with Client(lab.url) as client:
        assert client.ask(request("OPTIONS", "*")).status == 503
        assert client.ask(request(target="http://test/abs")).status == 503


def test_a_share_fails_and_the_others_go_to_older_rules(lab):
    rules = lab._parts.server.ingress.rules
    rules.chance = random.Random(7).random
    lab.respond(201, path="/a")
    rule = lab.respond(503, failure_rate=0.3)
    expected = random.Random(7)
    wanted = [503 if expected.random() < 0.3 else 200 for _ in range(40)]
    assert asked(lab, *[""] * 40) == wanted
    assert rule.answered == wanted.count(503)
    rules.chance = lambda: 0.3
    assert asked(lab, "a", "") == [201, 200]
    rules.chance = lambda: 0.29
    assert asked(lab, "a") == [503]


def test_a_share_fails_where_the_status_is_no_failure(lab):
    numbers = iter([0.1, 0.9, 0.1])
    lab._parts.server.ingress.rules.chance = lambda: next(numbers)
    lab.respond(202, failure_rate=0.5, times=3)
    assert asked(lab, *[""] * 4) == [500, 202, 500, 200]


def test_the_rules_are_shown(lab):
    lab.respond(200, body="hello")
    lab.respond(503, times=3, path="/orders")
    lab.respond(202, failure_rate=0.25, delay=1.5, path="/slow")
    lab.respond(test_the_rules_are_shown, path="/f")
    assert list(lab._describe().notices) == [
        f"This Lab answers {what} (lab.respond)."
        for what in (
            "what test_the_rules_are_shown returns for all deliveries to /f",
            "500 for 25 % of all deliveries to /slow, 202 for the others, 1.5 s later",
            "503 for 3 more deliveries to /orders",
            "200 for all deliveries",
        )
    ]
    asked(lab, "orders")
    assert "503 for 2 more deliveries to /orders" in lab._describe().notices[2]
    asked(lab, "orders")
    assert "503 for 1 more delivery to /orders" in lab._describe().notices[2]
    lab.close()
    assert lab._describe().notices == ()


def test_a_page_that_may_read_reads_what_the_rule_says(file):
    with Lab(file, allow_origins=PAGE) as lab, Client(lab.url) as client:
        lab.respond(503, body="no", times=1)
        preflight = client.ask(request("OPTIONS", headers=(f"Origin: {PAGE}",)))
        assert preflight.status == 200, "or the browser would not send"
        answer = client.ask(request(headers=(f"Origin: {PAGE}",)))
        assert (answer.status, answer.body) == (503, b"no")
        assert answer.headers["access-control-allow-origin"] == PAGE


def test_a_delivery_that_cannot_be_stored_is_503_and_does_not_count(file, monkeypatch):
    monkeypatch.setattr(store_connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    with Lab(file) as lab, contextlib.closing(sqlite3.connect(file)) as other:
        rule = lab.respond(418, times=1)
        other.execute("BEGIN IMMEDIATE")
        answer = post(lab.url)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        other.execute("ROLLBACK")
        assert asked(lab, "", "") == [418, 200]
        assert rule.answered == 1


# Later


def test_an_answer_comes_so_much_later(lab):
    lab.respond(202, delay=0.2)
    started = time.monotonic()
    with Client(lab.url) as client:
        assert client.ask(request()).status == 202
        assert time.monotonic() - started >= 0.2
        assert statuses(lab) == [202]
        assert client.ask(request()).status == 202, "the connection goes on"


def test_a_delay_holds_up_nobody_else(lab):
    lab.respond(202, delay=300, path="/slow")
    with Client(lab.url) as client:
        client.send(request(target="/slow", body=b"x" * 100_000))
        until(lambda: len(lab) == 1)  # or its row may come between those that are looked at
        assert asked(lab, *["fast"] * 20) == [200] * 20
        until(lambda: len(lab) == 21)
        assert pd.isna(lab.events.set_index("path")["status"]["/slow"])
        assert lab._parts.server.ingress._in_flight_bytes == 0, "its body is on disk"


def test_a_closing_lab_does_not_wait(file):
    lab = Lab(file)
    lab.respond(202, delay=300)
    with Client(lab.url) as client:
        with lab.expect():
            client.send(request())
        started = time.monotonic()
        lab.close()
        assert time.monotonic() - started < 8
        assert client.answer().status == 202
    assert statuses(lab) == [202]


def test_a_sender_that_leaves_before_its_answer_got_none(lab):
    rule = lab.respond(200, delay=0.2)
    with Client(lab.url) as client:
        client.send(request())
        client.answer()
        client.send(request(body=b"left"))
        lab.wait(2, after=0)
    with Client(lab.url) as client:
        assert client.send(request()).finish_sending().answer().status == 200, "it may yet listen"
    until(lambda: not lab._parts.server.ingress._promises.pending)
    until(lambda: len(lab._parts.server._listener._connections) == 0)
    assert statuses(lab) == [200, None, None]
    assert rule.answered == 1


def test_a_process_that_is_killed_before_the_answer(file):
    with LabProcess(file) as process:
        process.say("def slow(delivery): import time; print('1', flush=True); time.sleep(60)")
        process.say("lab.respond(slow, path='/function')")
        process.say("lab.respond(202, delay=60, path='/delay')")
        process.say("lab.respond(503, path='/now')")
        process.say("print('0', flush=True)")
        assert process.hear() == 0
        assert post(process.url, path="now").status == 503
        with Client(process.url) as one, Client(process.url) as other:
            one.send(request(target="/function", body=b"function"))
            assert process.hear() == 1, "so it is stored"
            looking = Store(file, write=False)
            other.send(request(target="/delay", body=b"delay"))
            until(lambda: looking.count() == 3)
            looking.close()
            process.kill()
            assert one.rest() == other.rest() == b""
    with Lab(file) as lab:
        assert [delivery.body for delivery in lab] == [b"{}", b"function", b"delay"]
        assert statuses(lab) == [503, None, None]


# Who may say


def test_only_an_open_lab_that_listens_answers(file):
    with LabProcess(file):
        with pytest.warns(UserWarning, match="listens"):
            attached = Lab(file)
        with pytest.raises(AttachedError, match="would answer beside"):
            attached.respond(503)
        assert attached._describe().notices == ()
        attached.close()
    with pytest.raises(ClosedError):
        attached.respond(503)
