"""A function that answers: called with what is stored, on threads, and it harms nobody."""

import asyncio
import contextlib
import sqlite3
import threading
import time

import pandas as pd
import pytest
from jupyter_client.manager import start_new_kernel

from tests.raw_http import Client, post, request
from tests.test_lab_lifecycle import run
from tests.waiting import until
from webhooklab import Lab, Response
from webhooklab.answering import calls, promises
from webhooklab.store import connection as store_connection

PAGE = "https://page.example"


def statuses(lab):
    return [None if pd.isna(status) else status for status in lab.events["status"]]


def logged(lab):
    until(lambda: len(lab.log))
    return [(row[3], row[4]) for row in lab._parts.store.refusals()]


def test_it_has_the_delivery_as_it_is_stored_and_runs_beside_the_loop(lab):
    seen = []

    def answer(delivery):
        with contextlib.closing(sqlite3.connect(lab.path)) as other:
            stored = other.execute("SELECT status FROM deliveries").fetchall()
        seen.append((delivery.seq, delivery.body, delivery.status, stored))
        seen.append(threading.current_thread().name)
        return delivery["status"]

    lab.respond(answer)
    assert post(lab.url, b'{"status": 418}').status == 418
    assert seen == [(1, b'{"status": 418}', None, [(None,)]), "webhooklab-answers"]
    assert statuses(lab) == [418]
    until(lambda: "webhooklab-answers" not in {each.name for each in threading.enumerate()})


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        (None, 200, b""),
        (503, 503, b""),
        ("text", 200, b"text"),
        (b"bytes", 200, b"bytes"),
        ({"a": 1}, 200, b'{"a":1}'),
        ([], 200, b"[]"),
        (Response(201, "made", {"Location": "/1"}), 201, b"made"),
    ],
)
def test_what_it_returns_is_what_the_sender_gets(lab, returned, status, body):
    async def later(_):
        await asyncio.sleep(0)
        return returned

    def now(_):
        return returned

    def handed_on(delivery):
        return later(delivery)

    for function in (now, later, handed_on):
        lab.respond(function)
        answer = post(lab.url)
        assert (answer.status, answer.body) == (status, body)
    assert statuses(lab) == [status] * 3


async def fails_later(delivery):
    await asyncio.sleep(0)
    raise KeyError(delivery.text)


def fails(delivery):
    raise ValueError(delivery.text)


def leaves(delivery):
    raise SystemExit(delivery.text)


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        (fails, "ValueError", "s3cret"),
        (fails_later, "KeyError", "s3cret"),
        (leaves, "SystemExit", "s3cret"),
        (lambda _: {1}, "AnswerError", "returned a value of type set: return None, a status"),
        (lambda _: True, "AnswerError", "type bool"),
        (lambda _: 99, "AnswerError", "200 to 599"),
        (lambda _: Response(204, "x"), "AnswerError", "has no body"),
        (lambda: 200, "TypeError", "takes 0 positional arguments"),
    ],
)
def test_what_goes_wrong_is_a_500_a_row_and_a_traceback(lab, capfd, function, error, said):
    lab.respond(function, times=1)
    answer = post(lab.url, b"s3cret")
    assert (answer.status, statuses(lab)) == (500, [500])
    assert b"s3cret" not in answer.body
    reason = f"the function given to lab.respond raised {error} for delivery 1"
    assert logged(lab) == [(500, reason)]
    shown = capfd.readouterr().err
    assert "Traceback" in shown
    assert f"{error}: " in shown
    assert said in shown
    assert post(lab.url).status == 200, "the capture goes on"
    assert lab._parts.server.ingress.lost == 0, "nothing was missed"


def test_it_may_take_its_time_but_not_for_ever(lab, monkeypatch):
    monkeypatch.setattr(calls, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(calls, "ANSWER_THREADS", 1)
    go, called, cancelled = threading.Event(), [], []

    def slow(delivery):
        called.append(delivery.seq)
        go.wait(10)
        return 201

    async def slow_too(_):
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(1)

    rule = lab.respond(slow)
    with Client(lab.url) as client:
        client.send(request())
        until(lambda: called)
        assert post(lab.url).status == 504, "it waited for a thread in vain"
        assert client.answer().status == 504
        rule._maker.seconds = 30.0
        go.set()
        assert client.ask(request()).status == 201
    assert called == [1, 3], "a call whose sender has its answer is left out"
    assert logged(lab) == [
        (504, f"there was no answer to delivery {seq} within 0.5 s") for seq in (1, 2)
    ]
    lab.respond(slow_too)
    assert post(lab.url).status == 504
    until(lambda: cancelled)
    assert statuses(lab) == [504, 504, 201, 504]


def test_fifty_senders_and_a_slow_function(lab, monkeypatch):
    monkeypatch.setattr(calls, "ANSWER_THREADS", 8)
    lock, now, most = threading.Lock(), [], []

    def slow(delivery):
        with lock:
            now.append(delivery.seq)
            most.append(len(now))
        time.sleep(0.02)
        with lock:
            now.remove(delivery.seq)
        return Response(202, delivery.body)

    lab.respond(slow, path="/slow")
    got = {}

    def send(number):
        with Client(lab.url) as client:
            for turn in range(2):
                body = b"%d.%d" % (number, turn)
                got[body] = client.ask(request(target="/slow", body=body))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    assert [post(lab.url).status for _ in range(20)] == [200] * 20
    for thread in threads:
        thread.join()
    assert {(body, answer.status) for body, answer in got.items()} == {(body, 202) for body in got}
    assert all(answer.body == body for body, answer in got.items())
    assert len(got) == 100
    assert 1 < max(most) <= 8
    assert sorted(statuses(lab)) == [200] * 20 + [202] * 100


def test_it_is_not_called_for_pages_of_other_origins(file):
    with Lab(file, allow_origins=["https://good.example"]) as lab, Client(lab.url) as client:
        lab.respond(lambda _: 418)
        for method in ("POST", "OPTIONS", "GET"):
            assert client.ask(request(method, headers=(f"Origin: {PAGE}",))).status == 200
        allowed = client.ask(request(headers=("Origin: https://good.example",)))
        assert allowed.status == 418
        assert allowed.headers["access-control-allow-origin"] == "https://good.example"
        assert client.ask(request()).status == 418
    assert statuses(lab) == [200, 200, 200, 418, 418]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "Cross-Site"])
def test_nor_for_what_a_page_has_loaded_without_an_origin(lab, site):
    """An <img> and a page whose name was bound to loopback anew send a GET that has no Origin."""
    lab.respond(lambda _: 418)
    with Client(lab.url) as client:
        assert client.ask(request("GET", headers=(f"Sec-Fetch-Site: {site}",))).status == 200
        typed = client.ask(request("GET", headers=("Sec-Fetch-Site: none",)))
        assert typed.status == 418


def test_a_page_does_not_use_up_its_times(lab):
    lab.respond(lambda _: 418, times=1)
    with Client(lab.url) as client:
        assert client.ask(request(headers=(f"Origin: {PAGE}",))).status == 200
        assert client.ask(request()).status == 418
        assert client.ask(request()).status == 200


def test_it_is_not_called_for_what_cannot_be_stored(file, monkeypatch):
    monkeypatch.setattr(store_connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    called = []
    with Lab(file) as lab, contextlib.closing(sqlite3.connect(file)) as other:
        lab.respond(called.append, times=1)
        other.execute("BEGIN IMMEDIATE")
        assert post(lab.url).status == 503
        other.execute("ROLLBACK")
        assert post(lab.url).status == 200
        assert [delivery.seq for delivery in called] == [1]


def test_an_answer_that_cannot_be_written_down_is_sent_all_the_same(file, monkeypatch, caplog):
    monkeypatch.setattr(store_connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    other = sqlite3.connect(file, check_same_thread=False)
    with Lab(file) as lab, contextlib.closing(other):

        def locking(_):
            other.execute("BEGIN IMMEDIATE")
            return 202

        lab.respond(locking)
        assert post(lab.url).status == 202
        other.execute("ROLLBACK")
        assert statuses(lab) == [None]
    assert "the answer to delivery 1 could not be written down" in caplog.text


def test_a_delivery_that_is_gone_when_its_turn_comes(lab, monkeypatch):
    monkeypatch.setattr(calls, "ANSWER_THREADS", 1)
    go, called = threading.Event(), []

    def slow(delivery):
        called.append(delivery.seq)
        go.wait(10)
        return 201

    lab.respond(slow)
    with Client(lab.url) as one, Client(lab.url) as other:
        one.send(request())
        until(lambda: called)
        with lab.expect():
            other.send(request())
        lab.delete(2)
        go.set()
        assert (one.answer().status, other.answer().status) == (201, 200)
    assert called == [1]
    assert statuses(lab) == [201]


def test_it_goes_on_for_those_who_wait_when_it_is_replaced(lab):
    go, called = threading.Event(), []

    def slow(delivery):
        called.append(delivery.seq)
        go.wait(10)
        return 201

    lab.respond(slow)
    with Client(lab.url) as client:
        client.send(request())
        until(lambda: called)
        lab.respond(lambda _: 202)
        assert post(lab.url).status == 202
        lab.respond()
        assert post(lab.url).status == 200
        go.set()
        assert client.answer().status == 201


def test_it_may_close_the_lab(file, monkeypatch):
    monkeypatch.setattr(promises, "ANSWER_CLOSE_SECONDS", 0.2)
    lab = Lab(file)

    def close(_):
        lab.close()
        return 201

    lab.respond(close)
    assert post(lab.url).status == 503
    until(lambda: not lab._parts.server._background.running)
    assert statuses(lab) == [503]
    assert logged(lab) == [(503, "there was no answer to delivery 1 when the Lab closed")]


def test_a_closing_lab_waits_a_moment_for_it(file):
    lab, go, called = Lab(file), threading.Event(), []

    def slow(delivery):
        called.append(delivery)
        go.wait(10)
        return 201

    lab.respond(slow, delay=100)
    with Client(lab.url) as client:
        client.send(request())
        until(lambda: called)
        closing = threading.Thread(target=lab.close)
        closing.start()
        until(lambda: lab._parts.server.ingress._promises.closing)
        go.set()
        assert client.answer().status == 201
        closing.join()
    assert statuses(lab) == [201]


CELL = """
from webhooklab import Lab
from tests.raw_http import post
lab = Lab({file!r})
def answer(delivery):
    print("called for", delivery.seq)
    raise ValueError("my own mistake")
lab.respond(answer)
print(post(lab.url).status)
"""


def test_what_it_prints_and_raises_is_seen_in_the_notebook(file, pytestconfig):
    manager, client = start_new_kernel(cwd=str(pytestconfig.rootpath))
    try:
        said = run(client, CELL.format(file=str(file)))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert "called for 1" in said
    assert "ValueError: my own mistake" in said
    assert "500" in said
