"""A lab behind smee or gosmee: what these say, in their frames, and what they do wrong."""

import base64
import hashlib
import hmac
import json
import warnings

import pandas as pd
import pytest

from tests.relay_speakers import STREAM, Smee
from tests.waiting import until
from webhooklab import Lab
from webhooklab.errors import ExposureError
from webhooklab.relay.smee import SmeeExposure

SECRET = "it's a secret"


@pytest.fixture
def smee():
    with Smee() as speaker:
        yield speaker


@pytest.fixture
def exposed(lab, smee):
    exposure = lab.expose("smee", base_url=smee.url)
    until(lambda: smee.listeners)
    return exposure


def signed(body, secret=SECRET):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={mac}", "x-github-event": "push"}


@pytest.mark.usefixtures("exposed")
def test_what_smee_hands_on_is_captured_and_marked_as_written_anew(lab, smee):
    smee.say({}, name="ready", event_id=0)
    smee.say({}, name="ping")
    fields = {
        "content-type": "application/json",
        "x-a": "é",
        "body": {"b": [1.50, "\u2028"], "a": 1},
    }
    smee.say(fields | {"query": {"x": "1", "y": ["2", "3"]}, "timestamp": 1_700_000_000_123})
    row = lab.wait(1, after=0)
    delivery = lab[-1]
    assert len(row) == len(lab) == 1
    assert delivery.body == '{"b":[1.5,"\u2028"],"a":1}'.encode()
    assert (delivery.method, delivery.path, delivery.query_string) == ("POST", "/", "x=1&y=2&y=3")
    assert (delivery.source, delivery.status) == ("smee", 200)
    assert delivery.received_at.timestamp() == 1_700_000_000.123
    assert delivery.headers.get("Webhooklab-Rewritten") == "body"
    assert (delivery.headers.get("x-a"), delivery.content_type) == ("é", "application/json")
    head = smee.requests[0].lower()
    assert "\r\naccept: text/event-stream\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head  # nothing packed can be a bomb
    assert lab.public_url == smee.url


@pytest.mark.usefixtures("exposed")
def test_a_signature_holds_over_compact_json_and_is_unverifiable_over_other(lab, smee):
    lab.verify_with("github", SECRET)
    value = {"price": 0.00005, "name": "Zoë", "n": 12345678901234567890}
    compact = '{"price":0.00005,"name":"Zoë","n":12345678901234567890}'.encode()
    loose = json.dumps(value, indent=1).encode()
    text = compact.decode()
    for body in (compact, loose):
        smee.say(json.dumps(signed(body))[:-1] + f',"body":{text}}}')
    lab.wait(2, after=0)
    assert [row.verified for row in lab] == ["valid", "unverifiable"]
    assert "wrote the body anew" in lab[-1].verified_reason
    assert [row.body for row in lab] == [compact, compact]
    lab.verify_with("github", SECRET, earlier=True)
    assert [row.verified for row in lab] == ["valid", "unverifiable"]


@pytest.mark.parametrize("place", ["/abcdefghijklmnop", "/events/abcdefghijklmnop"])
def test_gosmee_hands_on_the_raw_body(lab, place):
    raw = b'{ "raw":\xff }\r\n'
    with Smee(place) as gosmee:
        lab.verify_with("github", SECRET)
        lab.expose("smee", base_url=gosmee.url)
        until(lambda: gosmee.listeners)
        gosmee.say({"message": "connected"})
        gosmee.say({"message": "ready"}, event_id="1700000000000-0")
        fields = {"timestamp": "1700000000123", "bodyB": base64.b64encode(raw).decode()}
        gosmee.say(signed(raw) | fields)
        gosmee.say({"x-only": "headers", "timestamp": "1700000000124"})
        gosmee.say({"rawbody": " text "})
        lab.wait(3, after=0)
    assert [row.body for row in lab] == [raw, b"", b" text "]
    assert (lab[1].verified, lab[1].event_type) == ("valid", "push")
    assert lab[1].status == 202, "what gosmee answers"
    assert not any("webhooklab-rewritten" in row.headers for row in lab)


@pytest.mark.parametrize("place", ["/abcdefghijklmnop", "/events/abcdefghijklmnop"])
def test_one_that_runs_elsewhere_is_known_by_its_address_alone(lab, place):
    with Smee(place) as speaker:
        exposure = lab.expose(speaker.url)
        assert exposure.via == "smee"
        until(lambda: exposure.state.startswith("connected"))
        speaker.say({"body": {"a": 1}})
        lab.wait(1, after=0)
        assert lab[-1].source == "smee"
        assert lab.public_url == speaker.url


@pytest.mark.usefixtures("exposed")
def test_it_comes_back_with_the_last_id_and_keeps_nothing_twice(lab, smee, file):
    smee.say({"body": 1}, event_id="1700000000000-1")
    lab.wait(1, after=0)
    smee.hang_up()
    until(lambda: smee.listeners == 1 and len(smee.requests) == 2)
    assert "last-event-id: 1700000000000-1" in smee.requests[-1].lower()
    smee.say({"message": "connected"})
    smee.say({"message": "ready"})
    smee.hang_up()
    until(lambda: smee.listeners == 1 and len(smee.requests) == 3)
    assert "last-event-id: 1700000000000-1" in smee.requests[-1].lower(), "nothing came since"
    smee.say({"body": 1}, event_id="1700000000000-1")
    smee.say({"body": 2}, event_id="1700000000000-2")
    smee.say("", name="gosmee-gap", event_id="1700000000000-2")
    until(lambda: any("no longer has all" in row for row in lab.log["reason"]))
    assert [row.body for row in lab] == [b"1", b"2"]
    lab.close()
    with Lab(file) as again:
        again.expose("smee", base_url=smee.url)
        until(lambda: len(smee.requests) == 4)
        assert "last-event-id: 1700000000000-2" in smee.requests[-1].lower()


def was_heard(lab, at):
    spans = lab.listened
    return bool(((spans["started_at"] <= at) & (spans["stopped_at"] >= at)).any())


def away(smee, exposed):
    """Have no connection for a moment, and tell which."""
    smee.stop()
    until(lambda: "reconnecting" in exposed.state)
    moment = pd.Timestamp.now("UTC")
    smee.start()
    until(lambda: exposed.state.startswith("connected"))
    smee.say({"message": "ready"})
    return moment


def test_while_there_was_no_connection_nobody_could_reach_the_lab(lab, smee, exposed):
    for count in (1, 2):
        smee.say({"body": count})
        lab.wait(count, after=0)
    moment = away(smee, exposed)
    until(lambda: not was_heard(lab, moment))  # said just after it is connected again
    assert was_heard(lab, lab.events["stored_at"].iloc[0])
    smee.say({"body": 3})
    lab.wait(3, after=0)
    until(lambda: was_heard(lab, lab.events["stored_at"].iloc[2]))


def test_what_gosmee_sends_later_was_not_missed_and_what_it_dropped_was(lab, smee, exposed):
    smee.say({"body": 1}, event_id="1700000000000-1")
    lab.wait(1, after=0)
    moment = away(smee, exposed)
    smee.say({"body": 2}, event_id="1700000000000-2")
    lab.wait(2, after=0)
    until(lambda: was_heard(lab, lab.events["stored_at"].iloc[1]))
    assert was_heard(lab, moment)
    moment = away(smee, exposed)
    smee.say({"error": "missed_history"}, name="gosmee-gap")
    until(lambda: len(lab.log))
    until(lambda: not was_heard(lab, moment))


@pytest.mark.usefixtures("exposed")
def test_a_number_that_begins_anew_with_each_connection_is_not_gone_on_from(lab, smee):
    smee.say({"body": 1}, event_id="3")
    lab.wait(1, after=0)
    smee.hang_up()
    until(lambda: smee.listeners == 1 and len(smee.requests) == 2)
    assert "last-event-id" not in smee.requests[-1].lower()
    smee.say({"body": 1}, event_id="3")
    lab.wait(2, after=0)


@pytest.mark.usefixtures("exposed")
def test_what_cannot_be_understood_is_noted_and_the_next_one_is_taken(lab, smee):
    for bad in ("{", "[1]", '"x"', '{"bodyB": "%%%"}', '{"a":' * 5_000):
        smee.say(bad)
    smee.say({f"h{n}": "v" for n in range(300)})
    smee.say({"x-n": 1, "x-list": ["a", {"b": 1}], "x-none": None, "bad name": "x", "body": "text"})
    smee.say_bytes(b'data: {"body": ')
    smee.say_bytes(b"\r\ndata: 7}\r\n\r\n")
    lab.wait(2, after=0)
    assert [row.body for row in lab] == [b'"text"', b"7"]
    assert lab[1].headers.pairs[:-1] == (("x-n", "1"), ("x-list", "a"))
    assert len(lab.log) == 6
    assert not any("%%%" in reason for reason in lab.log["reason"])


@pytest.mark.usefixtures("exposed")
def test_a_large_one_is_left_out_and_the_next_one_is_taken(lab, smee, monkeypatch):
    monkeypatch.setattr("webhooklab.relay.smee.MAX_LINK_FRAME_BYTES", 10 * 2**20)
    smee.hang_up()
    until(lambda: smee.listeners == 1 and len(smee.requests) == 2)
    smee.say({"body": "x" * 11 * 2**20})
    smee.say({"body": "y" * 9 * 2**20})
    lab.wait(1, after=0)
    assert len(lab[-1].body) == 9 * 2**20 + 2
    assert "is left out" in lab.log["reason"].iloc[-1]


@pytest.mark.usefixtures("exposed")
def test_a_stream_that_is_cut_within_a_frame_loses_only_that_frame(lab, smee):
    smee.say_bytes(b'data: {"body": 1')
    smee.hang_up()
    until(lambda: smee.listeners == 1 and len(smee.requests) == 2)
    smee.say({"body": 2})
    lab.wait(1, after=0)
    assert [row.body for row in lab] == [b"2"]


def test_silence_is_not_believed(lab, smee):
    parts = lab._parts
    with SmeeExposure(parts.behind, parts.store, smee.url, silence=0.2) as exposure:
        until(lambda: len(smee.requests) >= 2)
        until(lambda: "silent" in exposure.state or "connected" in exposure.state)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "answers 401"),
        ("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", "answers 302"),
        (STREAM.replace("text/event-stream", "text/html"), "no event stream"),
    ],
)
def test_what_is_no_stream_is_said_and_tried_again_and_never_followed(lab, smee, head, words):
    with Smee() as elsewhere:
        smee.head = head.format(elsewhere.url)
        exposure = lab.expose("smee", base_url=smee.url)
        until(lambda: words in exposure.state)
        assert "reconnecting to 127.0.0.1 in" in exposure.state
        smee.head = STREAM
        until(lambda: exposure.state.startswith("connected to 127.0.0.1 since"))
        assert not elsewhere.requests


def test_the_inbox_says_what_it_costs_and_respond_warns(lab, smee, exposed):
    said = lab._describe()
    assert any("answers senders before" in notice for notice in said.notices)
    assert said.public == smee.url
    with pytest.warns(UserWarning, match="does not reach those senders"):
        lab.respond(404)
    exposed.close()
    assert lab._describe().public == ""
    assert "nobody gets what they send" in exposed.state
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lab.respond(404)


def test_what_is_no_channel_is_said_to_be_none(lab):
    for address in ("https://smee.io", "https://smee.io/"):
        with pytest.raises(ExposureError, match="names no channel"):
            lab.expose(address)
    with pytest.raises(ExposureError, match="Which relay"):
        lab.expose("smee")


def test_what_the_lab_refuses_is_not_tried_for_ever(file, smee):
    with Lab(file, max_body_bytes=100) as lab:
        lab.expose("smee", base_url=smee.url)
        until(lambda: smee.listeners)
        smee.say({"body": "x" * 200})
        smee.say({"body": 2})
        lab.wait(1, after=0)
        assert [row.body for row in lab] == [b"2"]
        until(lambda: any("100 bytes" in reason for reason in lab.log["reason"]))
