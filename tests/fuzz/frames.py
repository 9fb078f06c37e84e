"""What relays, their readers and our own processes say."""

import contextlib
import json
import struct

from hypothesis import strategies as st

from tests.fuzz.mutations import damaged, json_values
from tests.fuzz.registry import target
from webhooklab import envelope
from webhooklab.errors import RelayProtocolError
from webhooklab.headers import Headers
from webhooklab.relay import webhookrelay_frames
from webhooklab.relay.decoding import decode_channel, decode_from_reader, decode_from_relay
from webhooklab.relay.protocol import Ack, Answer, Delivery, Gap, Hello, Ready, encode
from webhooklab.relay.received import FrameError, Received
from webhooklab.relay.smee_frames import delivery
from webhooklab.relay.sse import ServerSentEvents

DELIVERY = Delivery(
    sequence=7,
    received_at=1_700_000_000_000_000,
    method="POST",
    url="https://relay.test/h/token/a%2Fb?c=1",
    target="/a%2Fb?c=1",
    headers=(("X-Two", "1"), ("x-two", "\xff\t2")),
    body=bytes(range(256)),
    remote="192.0.2.7",
    waiting=True,
)
FRAMES = (
    Hello(3),
    Ack(4),
    Answer(5, 200, (("A", "b"),), b"x"),
    Ready(9, 1, 2),
    Gap(1, 3),
    DELIVERY,
)
SMEE = (
    b'id: 1\nevent: message\ndata: {"body":{"a":[1.50,"\\u00e9"]},"query":{"x":["1","2"]}}\n\n',
    b'data: {"body":{},"timestamp":1700000000000,"x-github-event":"push"}\n\n',
    b'data: {"bodyB":"eyJhIjoxfQ==","timestamp":"1700000000000"}\n\n: ping\n\ndata: ready\n\n',
    b'event: gosmee-gap\r\ndata: {"rawbody":"a=b"}\r\ndata\r\n\r\nid: 7\0\r',
    b'data:{"message":"connected"}\r\r',
)
HOOK = {
    "type": "webhook",
    "meta": {"id": "1", "bucked_id": "b"},
    "headers": {"A": ["b", "c"]},
    "query": "a=b",
    "body": "{}",
    "method": "POST",
}
WEBHOOK_RELAY = tuple(
    json.dumps(each).encode()
    for each in (
        HOOK,
        {"type": "status", "status": "authenticated"},
        {"logs": [{**HOOK, "created_at": 1_700_000_000, "raw_query": "a", "extra_path": "x"}]},
    )
)


@target(damaged([encode(frame).encode() for frame in FRAMES]), bounded=333)
def relay_frames(raw: bytes) -> None:
    """A frame or a protocol error, and a frame says the same when it is said again."""
    for text in (raw, raw.decode("utf-8", "surrogateescape")):
        for decode in (decode_from_reader, decode_from_relay):
            with contextlib.suppress(RelayProtocolError):
                frame = decode(text)
                assert decode(encode(frame)) == frame
        with contextlib.suppress(RelayProtocolError):
            decode_channel(text)


@target(st.tuples(damaged(SMEE, 6), st.lists(st.integers(0, 400), max_size=5)), bounded=200)
def smee_events(sent: tuple[bytes, list[int]]) -> None:
    """However the stream is cut up it says the same; each event is storable, or refused."""
    stream, places = sent
    whole = ServerSentEvents(10_000).feed(stream)
    parts = ServerSentEvents(10_000)
    ends = sorted({min(place, len(stream)) for place in places})
    cut = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert [event for part in cut for event in parts.feed(part)] == whole
    for event in whole:
        with contextlib.suppress(FrameError):
            if event.data is not None and (received := delivery(event.data)) is not None:
                storable(received)


@target(damaged(WEBHOOK_RELAY, 6), bounded=200)
def webhookrelay_said(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    with contextlib.suppress(FrameError):
        frame = webhookrelay_frames.read(text)
        if isinstance(frame, webhookrelay_frames.Webhook):
            storable(frame.received)
    with contextlib.suppress(FrameError):
        for each in webhookrelay_frames.missed(text):
            storable(each.received)
    with contextlib.suppress(FrameError):
        webhookrelay_frames.cursor(text)


def storable(received: Received) -> None:
    """It can be put into an envelope and a capture file, and a header is a header."""
    assert received.target.startswith("/")
    assert received.target.isascii()
    assert not set(received.target) & set(" \r\n\0")
    received.method.encode("ascii")
    for name, value in received.headers:
        assert name.isascii()
        assert not set(value.encode("latin-1")) & set(b"\r\n\0")
    Headers(received.headers).to_json()


ENVELOPE = envelope.packed(
    envelope.Meta(
        source="relay",
        method="POST",
        target="/a",
        headers=(("A", "b"),),
        remote=None,
        received_at=1,
        passage=envelope.Passage("c", 4, 200, "https://x"),
    )
)


@target(damaged([ENVELOPE + b"body", ENVELOPE, struct.pack(">I", 2**32 - 1)]), bounded=200)
def envelopes(content: bytes) -> None:
    """What is read of an envelope whose seal fits: its parts, or a `ValueError`."""
    with contextlib.suppress(ValueError):
        _, body = envelope.unpacked(content)
        assert content.endswith(body)


SEAL = envelope.seal("key", "0" * 32).encode()


@target(st.one_of(damaged([SEAL], 2), st.binary(max_size=90)), bounded=200)
def seals(raw: bytes) -> None:
    """Only the seal itself opens an envelope; only the proof itself proves a commit."""
    text = raw.decode("latin-1")
    assert (envelope.opened("key", text) is not None) == (raw == SEAL)
    envelope.is_stale("key", text)
    real = envelope.proof("key", "nonce", 4)
    assert (envelope.proven("key", "nonce", text) is None) or text == real


@target(json_values(), bounded=100)
def smee_bodies(value: object) -> None:
    """A body that smee wrote anew says what it said."""
    text = json.dumps({"body": value, "timestamp": 1})
    received = delivery(text)
    assert received is not None
    assert json.dumps(json.loads(received.body)) == json.dumps(value)
