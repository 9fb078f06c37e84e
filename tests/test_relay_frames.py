"""What other relays say, cut up, altered and made up: it is read or refused, and no more."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from webhooklab.headers import Headers
from webhooklab.relay import webhookrelay_frames
from webhooklab.relay.progress import Progress
from webhooklab.relay.received import FrameError, Received
from webhooklab.relay.smee_frames import compact, delivery
from webhooklab.relay.sse import ServerSentEvent, ServerSentEvents

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(("body", "bodyB", "rawbody", "query", "timestamp", "message", "x-a"))
FIELDS = st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=6)
META = st.dictionaries(st.sampled_from(("id", "bucked_id", "bucket_id")), VALUES)


def is_storable(received):
    """It can be put into an envelope and a capture file, and a header is a header."""
    assert isinstance(received, Received)
    assert received.target.startswith("/")
    assert received.target.isascii()
    assert not set(received.target) & set(" \r\n\0")
    received.method.encode("ascii")
    for name, value in received.headers:
        assert name.isascii()
        assert not set(value.encode("latin-1")) & set(b"\r\n\0")
    Headers(received.headers).to_json()


@settings(max_examples=300, deadline=None)
@given(FIELDS | VALUES)
def test_whatever_smee_says_is_a_delivery_or_refused(fields):
    try:
        received = delivery(json.dumps(fields))
    except FrameError:
        return
    if received is not None:
        is_storable(received)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.sampled_from((None, 1, "\t")), st.booleans())
def test_what_is_written_anew_says_the_same_and_is_compact(value, indent, escaped):
    text = json.dumps({"x": value, "body": value}, indent=indent, ensure_ascii=escaped)
    received = delivery(text)
    assert json.loads(received.body) == value
    assert compact(received.body.decode()) == received.body


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(("webhook", "status")) | VALUES},
        optional={
            "meta": META | VALUES,
            "headers": FIELDS | VALUES,
            "query": VALUES,
            "body": VALUES,
            "method": VALUES,
            "status": VALUES,
        },
    )
)
def test_whatever_webhook_relay_says_is_read_or_refused(fields):
    text = json.dumps(fields)
    try:
        frame = webhookrelay_frames.read(text)
        missed = webhookrelay_frames.missed(json.dumps({"logs": [fields, text]}))
    except FrameError:
        return
    if isinstance(frame, webhookrelay_frames.Webhook):
        is_storable(frame.received)
    for each in missed:
        is_storable(each.received)


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_a_reader(text):
    for read in (delivery, webhookrelay_frames.read, webhookrelay_frames.missed):
        try:
            read(text)
        except FrameError:
            continue


LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("message", "ping", "gosmee-gap")),
        st.lists(LINES, min_size=1, max_size=3),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(EVENTS, st.sampled_from(("\n", "\r\n", "\r")), st.data())
def test_events_are_the_same_however_the_stream_is_cut(events, end, data):
    told = "".join(
        f": hello{end}event: {name}{end}" + "".join(f"data: {line}{end}" for line in lines) + end
        for name, lines in events
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=8)))
    reader = ServerSentEvents(10**6)
    found = []
    for start, stop in zip([0, *cuts], [*cuts, len(told)], strict=True):
        found += reader.feed(told[start:stop])
    assert found == [ServerSentEvent(name, "\n".join(lines), None, "") for name, lines in events]


@given(st.integers(1, 60), st.binary(min_size=1, max_size=200), st.integers(1, 50))
def test_of_a_large_event_nothing_is_held_and_the_next_is_read(limit, body, size):
    reader = ServerSentEvents(limit)
    told = b"data: " + body.replace(b"\n", b"x").replace(b"\r", b"x") + b"\n\ndata: y\n\n"
    found = []
    for start in range(0, len(told), size):
        found += reader.feed(told[start : start + size])
        assert len(reader._line) + reader._held_bytes <= limit + 2
    assert found[-1].data == ("y" if limit >= len("data: y") else None)
    assert len(found) == 2


@given(st.permutations(range(1, 9)), st.integers(0, 3))
def test_only_what_is_committed_up_to_there_is_acknowledged(order, gap):
    progress = Progress(0)
    sequences = [number + gap for number in range(1, 9)]
    assert all(progress.came(each) for each in sequences)
    assert not progress.came(sequences[3])
    done = set()
    for number in order:
        progress.committed(number + gap)
        done.add(number + gap)
        expected = next((each for each in sequences if each not in done), None)
        if expected is None:
            assert progress.reached == sequences[-1]
        else:
            assert progress.reached == (expected - 1 if expected > sequences[0] else 0)
