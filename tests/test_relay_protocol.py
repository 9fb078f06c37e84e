"""What relay and reader say to each other: whatever is sent, it is a frame or a protocol error."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooklab.errors import RelayProtocolError, WebhookLabError
from webhooklab.relay import limits
from webhooklab.relay.decoding import decode_channel, decode_from_reader, decode_from_relay
from webhooklab.relay.protocol import (
    Ack,
    Answer,
    Channel,
    Delivery,
    Gap,
    Hello,
    Ready,
    encode,
)

NUMBERS = st.integers(0, limits.MAX_SEQUENCE)
POSITIVE = st.integers(1, limits.MAX_SEQUENCE)
NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(tuple)
REQUEST = {
    "sequence": 7,
    "received_at": 1_700_000_000_000_000,
    "method": "POST",
    "url": "https://relay.test/h/token/a%2Fb?c=1&c=2",
    "target": "/a%2Fb?c=1&c=2",
    "headers": (("X-Two", "1"), ("x-two", "\xff\t2"), ("X-Empty", "")),
    "body": bytes(range(256)),
    "remote": "192.0.2.7",
    "waiting": True,
}
DELIVERY = Delivery(**REQUEST)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(
        st.builds(Hello, NUMBERS, NUMBERS),
        st.builds(Ack, NUMBERS),
        st.builds(Answer, POSITIVE, st.integers(200, 599), PAIRS, st.binary(max_size=100)),
    )
)
def test_what_a_reader_says_comes_back_as_it_was(frame):
    assert decode_from_reader(encode(frame)) == frame


@pytest.mark.parametrize(
    "frame", [Ready(0, 1, 1), Ready(9, 100, 2**20), Gap(1, 1), Gap(3, 9), DELIVERY]
)
def test_what_a_relay_says_comes_back_as_it_was(frame):
    assert decode_from_relay(encode(frame)) == frame


def test_a_largest_delivery_and_a_largest_answer_fit_into_a_frame():
    body, answer = bytes(limits.MAX_BODY_BYTES), bytes(limits.MAX_ANSWER_BYTES)
    headers = (("X-Long", "\xff" * 60_000),)
    long = "/" + "\xff" * (limits.MAX_HEADERS_BYTES - 20)
    delivery = Delivery(
        **{**REQUEST, "body": body, "headers": headers, "target": long, "url": f"http://x{long}"}
    )
    assert decode_from_relay(encode(delivery)) == delivery
    assert decode_from_reader(encode(Answer(1, 200, headers, answer))).body == answer


def test_fields_that_are_not_known_are_ignored():
    assert decode_from_reader('{"type":"ack","sequence":3,"later":[1]}') == Ack(3)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.binary(), JSON.map(json.dumps)))
def test_nothing_else_is_a_frame(text):
    for decode in (decode_from_reader, decode_from_relay, decode_channel):
        with pytest.raises(RelayProtocolError):
            decode(text)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([Hello(1), Ack(1), Answer(1, 200), Ready(1, 1, 1), Gap(1, 2), DELIVERY]),
    st.data(),
)
def test_a_frame_with_one_field_wrong_is_a_frame_or_an_error(frame, data):
    fields = json.loads(encode(frame))
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(JSON)
    for decode in (decode_from_reader, decode_from_relay):
        try:
            decoded = decode(json.dumps(fields))
        except RelayProtocolError:
            continue
        assert json.loads(encode(decoded)) == fields


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence", 0),
        ("sequence", True),
        ("sequence", 1.0),
        ("sequence", "1"),
        ("sequence", 2**53),
        ("received_at", -1),
        ("method", ""),
        ("method", "GE T"),
        ("method", "GET\r\n"),
        ("url", "javascript:alert(1)"),
        ("url", "https://x/\r\n"),
        ("target", "no/slash"),
        ("target", "/a b"),
        ("target", "/\u20ac"),
        ("headers", {"a": "b"}),
        ("headers", [["a"]]),
        ("headers", [["a", "b", "c"]]),
        ("headers", [["a", 1]]),
        ("headers", [["a", "b\r\nSet-Cookie: c"]]),
        ("headers", [["a:", "b"]]),
        ("headers", [["a", "\ud800"]]),
        ("headers", [["a", "b"]] * (limits.MAX_HEADERS + 1)),
        ("headers", [["a", "b" * limits.MAX_HEADERS_BYTES]]),
        ("body", None),
        ("body", "not base64!"),
        ("body", "QUJ"),
        ("body", "\u20ac"),
        ("remote", 1),
        ("remote", "a\nb"),
        ("remote", "1" * 65),
        ("waiting", 1),
    ],
)
def test_a_hostile_delivery_is_refused_and_not_quoted(name, value):
    fields = {**json.loads(encode(DELIVERY)), name: value}
    with pytest.raises(RelayProtocolError, match=name):
        decode_from_relay(json.dumps(fields))


@pytest.mark.parametrize("status", [100, 101, 199, 600, -1, "200", None])
def test_an_answer_has_a_final_status(status):
    fields = {**json.loads(encode(Answer(1, 200))), "status": status}
    with pytest.raises(RelayProtocolError, match="status"):
        decode_from_reader(json.dumps(fields))


def test_a_body_of_too_many_bytes_is_refused():
    fields = json.loads(encode(Answer(1, 200)))
    fields["body"] = base64.b64encode(bytes(limits.MAX_ANSWER_BYTES + 1)).decode()
    with pytest.raises(RelayProtocolError, match="body"):
        decode_from_reader(json.dumps(fields))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"type":' * 10_000, "1" * 5_000, "NaN"])
def test_deep_and_long_json_is_refused(text):
    with pytest.raises(RelayProtocolError):
        decode_from_reader(text)


def test_a_frame_that_is_too_long_is_not_even_read():
    with pytest.raises(RelayProtocolError, match="more than"):
        decode_from_reader(" " * (limits.MAX_READER_FRAME_BYTES + 1))


def test_a_reader_cannot_speak_as_a_relay_nor_a_relay_as_a_reader():
    with pytest.raises(RelayProtocolError):
        decode_from_reader(encode(Gap(1, 2)))
    with pytest.raises(RelayProtocolError):
        decode_from_relay(encode(Ack(1)))


def test_a_channel_is_read_and_its_secrets_are_not_shown():
    made = {"url": "https://relay.test/h/write-secret/", "channel": "c" * 22, "key": "k" * 43}
    channel = decode_channel(json.dumps(made))
    assert channel == Channel(made["url"], made["channel"], made["key"])
    assert "write-secret" not in repr(channel)
    assert made["key"] not in repr(channel)
    for name in made:
        with pytest.raises(RelayProtocolError, match=name):
            decode_channel(json.dumps({**made, name: "a b"}))
    assert issubclass(RelayProtocolError, WebhookLabError)


def test_no_frame_shows_what_was_sent_in_its_repr():
    assert "c=1" not in repr(DELIVERY)
    assert "X-Two" not in repr(DELIVERY)
