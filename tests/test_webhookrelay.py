"""A lab behind Webhook Relay: its socket and API, in their frames, and what goes wrong."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from tests.relay_speakers import WebhookRelay, webhook
from tests.waiting import until
from webhooklab.errors import ExposureError
from webhooklab.relay.webhookrelay import WebhookRelayExposure


@pytest.fixture
def service():
    with WebhookRelay() as speaker:
        yield speaker


@pytest.fixture
def expose(lab, service):
    """Exposes the lab by the test's service instead of the real one."""
    opened = []

    def make(**wished):
        given = {"key": service.key, "secret": service.secret, "buckets": ["b"]} | wished
        parts = lab._parts
        exposure = WebhookRelayExposure(parts.behind, parts.store, service=service.url, **given)
        parts.exposures.add(exposure)
        opened.append(exposure)
        return exposure

    yield make
    for each in opened:
        each.close()


class _Log(BaseHTTPRequestHandler):
    """Takes answers, as the API's log does."""

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.command, self.path, content))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def http_log():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Log) as server:
        server.requests = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def pulled(number, **fields):
    """What its API has of a delivery that was missed."""
    row = {"id": f"wh-{number}", "bucket_id": "b-1", "created_at": 1_700_000_000 + number}
    row |= {"headers": {"X-N": [str(number)]}, "raw_query": "a=1", "extra_path": "/more"}
    return row | {"method": "POST", "body": f"missed {number}", "status": "received"} | fields


def test_what_comes_by_the_socket_is_captured(lab, service, expose):
    exposure = expose()
    until(lambda: exposure.state.startswith("connected"))
    assert service.said[:2] == [
        {"action": "auth", "key": "key-1", "secret": "secret-1"},
        {"action": "subscribe", "buckets": ["b"]},
    ]
    service.say(webhook(1, body='{"a": "é"}'))
    lab.wait(1, after=0)
    row = lab[-1]
    assert (row.method, row.path, row.query_string) == ("PUT", "/", "foo=bar")
    assert (row.source, row.status, row.body) == ("webhookrelay", 200, '{"a": "é"}'.encode())
    assert row.headers.get_list("x-two") == ["1", "2"]
    assert "Webhooklab-Rewritten" not in row.headers
    assert any("answers senders before" in notice for notice in lab._describe().notices)


def test_a_ping_is_answered_and_silence_is_not_believed(service, expose):
    exposure = expose(silence=0.3)
    until(lambda: service.listeners)
    service.say({"type": "status", "status": "ping"})
    until(lambda: {"action": "pong"} in service.said)
    until(lambda: sum(frame["action"] == "auth" for frame in service.said) >= 2)
    assert not exposure.closed


def test_what_was_missed_is_fetched_once_in_order(lab, service, expose):
    service.missed = [
        {"logs": [pulled(3), pulled(2)], "next_cursor": "c2"},
        {"logs": [pulled(4), pulled(5, id=7), "x"]},
    ]
    exposure = expose()
    until(lambda: exposure.state.startswith("connected"))
    lab.wait(4, after=0)
    assert [row.text for row in lab] == ["missed 2", "missed 3", "missed 4", "missed 5"]
    assert (lab[1].path, lab[1].received_at.timestamp()) == ("/more", 1_700_000_002)
    assert service.asked == [
        {"bucket": ["b"], "limit": ["100"], "max_age": ["24h"]},
        {"cursor": ["c2"], "limit": ["100"]},
    ]
    service.say(webhook(3))
    service.say(webhook(9))
    lab.wait(5, after=0)
    service.missed = [{"data": [pulled(2), pulled(9), pulled(10)]}]
    service.hang_up()
    lab.wait(6, after=0)
    assert [row.text for row in lab][4:] == ["{}", "missed 10"]


def test_the_labs_answer_goes_to_its_log(lab, service, expose, http_log):
    lab.respond(lambda delivery: {"got": delivery.text})
    exposure = expose(reply=True)
    until(lambda: exposure.state.startswith("connected") and service.asked)
    exposure._api._service = http_log.url  # what is asked by PUT, the test's other server takes
    service.say(webhook(1, body="hello"))
    until(lambda: http_log.requests)
    method, path, content = http_log.requests[0]
    said = json.loads(content)
    assert (method, path) == ("PUT", "/v1/logs/wh-1")
    assert (said["id"], said["bucket_id"], said["status_code"]) == ("wh-1", "b-1", 200)
    assert json.loads(base64.b64decode(said["response_body"])) == {"got": "hello"}
    assert isinstance(said["response_headers"]["Content-Type"], list)
    assert lab[-1].status == 200


def test_a_wrong_key_is_said_and_no_secret_is_anywhere(lab, service, expose, caplog):
    caplog.set_level("DEBUG")
    service.missed = [{"logs": []}]
    exposure = expose(key="no-such-key", secret="no-such-secret")
    until(lambda: "does not accept" in exposure.state)
    until(lambda: any("reconnecting" in each.getMessage() for each in caplog.records))
    ours = [each.getMessage() for each in caplog.records if each.name != "websockets.server"]
    said = " ".join([repr(exposure), exposure.state, *exposure.notices, *ours])
    assert "no-such-secret" not in said + str(lab.log["reason"].tolist())
    with pytest.raises(ExposureError, match="key and a secret"):
        lab.expose("webhookrelay")


def test_an_accounts_key_goes_as_the_secret_and_as_the_apis_bearer(lab, service, expose):
    service.missed = [{"logs": [pulled(1)]}]
    expose(key="sk-1", secret="")
    lab.wait(1, after=0)
    assert service.said[0] == {"action": "auth", "key": "whr", "secret": "sk-1"}
    assert len(lab.log) == 0


def test_without_named_buckets_it_is_all_of_them_for_the_missed_ones_too(lab, service, expose):
    service.missed = [{"logs": [pulled(1)]}, {"logs": [pulled(2)]}]
    expose(buckets=())
    lab.wait(2, after=0)
    assert service.said[1] == {"action": "subscribe"}
    assert [asked["bucket"] for asked in service.asked] == [["b-1"], ["b-2"]]


def test_an_api_that_hands_each_out_once_is_asked_until_it_has_no_more(lab, service, expose):
    service.missed = [
        {"logs": [pulled(1), pulled(2)], "has_more": True},
        {"logs": [pulled(3)], "has_more": True},
        {"logs": None, "has_more": False},
        {"logs": [pulled(4)], "has_more": False},
    ]
    expose()
    lab.wait(3, after=0)
    until(lambda: len(service.asked) == 3)
    assert {asked["bucket"][0] for asked in service.asked} == {"b"}
    assert [row.text for row in lab] == ["missed 1", "missed 2", "missed 3"]


def test_more_than_is_asked_for_at_one_time_is_said(lab, service, expose, monkeypatch):
    monkeypatch.setattr("webhooklab.relay.webhookrelay_api.WEBHOOKRELAY_MAX_PAGES", 2)
    service.missed = [{"logs": [pulled(n)], "has_more": True} for n in range(5)]
    expose()
    until(lambda: len(lab.log) == 1)
    assert "2 were fetched, the next connection asks for more" in lab.log["reason"].iloc[-1]
    assert len(lab) == len(service.asked) == 2


def test_an_api_that_fails_is_said_and_the_socket_goes_on(lab, service, expose, monkeypatch):
    monkeypatch.setattr("tests.relay_speakers.WebhookRelay.buckets", 7)
    opened = pd.Timestamp.now("UTC")
    exposure = expose(buckets=())
    until(lambda: len(lab.log) == 1)
    assert "not all that was missed can be asked for" in lab.log["reason"].iloc[-1]
    until(lambda: lab.listened["started_at"].max() > opened)
    service.say(webhook(1))
    lab.wait(1, after=0)
    assert exposure.state.startswith("connected")


def test_what_cannot_be_understood_is_noted_and_the_next_one_is_taken(lab, service, expose):
    exposure = expose()
    until(lambda: service.listeners)
    for bad in ("{", "[]", '{"type": "status", "status": 1}', '{"type": "new"}'):
        service.say(bad)
    service.say(webhook(1, headers="x", query=5, method="\r\n", body=None, meta=None))
    service.say(webhook(2, body="cut \ufffd", headers={"X": "plain", "bad\r\n": "x"}))
    lab.wait(2, after=0)
    assert (lab[1].method, lab[1].body, lab[1].query_string) == ("POST", b"", "")
    assert lab[2].headers.pairs == (("X", "plain"), ("Webhooklab-Rewritten", "body"))
    assert len(lab.log) == 2
    service.say(b"\xff\xfe")
    until(lambda: "reconnecting" in exposure.state or len(service.said) > 2)


def test_it_comes_back_by_itself_and_goes_when_it_is_closed(lab, service, expose):
    exposure = expose()
    until(lambda: service.listeners)
    service.stop()
    until(lambda: "reconnecting" in exposure.state)
    service.start()
    until(lambda: service.listeners)
    service.say(webhook(1))
    lab.wait(1, after=0)
    exposure.close()
    until(lambda: not service.listeners)
    assert exposure.closed
    assert exposure.url is None


def test_a_relay_that_never_answers_is_given_up_and_tried_again(service, expose, monkeypatch):
    monkeypatch.setattr("webhooklab.relay.webhookrelay.LINK_CONNECT_SECONDS", 0.2)
    service.silent = True
    exposure = expose()
    until(lambda: "it is silent" in exposure.state)
