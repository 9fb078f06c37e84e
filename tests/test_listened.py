"""When deliveries could reach us: a span claims only what was surely stored."""

import contextlib
import os
import signal
import sqlite3
import threading
import time

import pandas as pd
import pytest

from tests.processes import LabProcess, Process
from tests.raw_http import Client, post, request
from tests.store_parts import arrival
from tests.waiting import until
from webhooklab import Lab, clock
from webhooklab.background import BackgroundLoop
from webhooklab.defaults import LISTENING_BEAT_SECONDS, MAX_EVENTS_PER_DELIVERY, MAX_HEADER_COUNT
from webhooklab.heartbeat import Heartbeat, Reach
from webhooklab.listened import listened, told_until
from webhooklab.store import Store, spans
from webhooklab.store.schema import APPLICATION_ID, STEPS, VERSION

SECOND = 1_000_000
BASE = 1_800_000_000 * SECOND
LIMIT = 1000


def spans_of(lab):
    """Start and end of each span in us, as they were written down last."""
    frame = listened(lab._parts.store).astype("int64")
    return [tuple(span) for span in frame.itertuples(index=False)]


def beat(lab):
    """Have the lab's listener beat; returns when that was, in us."""
    lab._parts.server.heartbeat.beat()
    return clock.now_us()


def covered(lab, moment):
    return any(start <= moment <= stop for start, stop in spans_of(lab))


def received(lab):
    return lab.events.received_at.astype("int64").tolist()


# What a heartbeat writes down, of a listener that says this and that


class Told:
    """A listener that says what the test wants, in seconds after `BASE`."""

    def __init__(self, store):
        self.store = store
        self.said = Reach(BASE, BASE, 0)
        self.heartbeat = Heartbeat(store, lambda: self.said, every=10, stall=5)

    def beats(self, at, until=None, lost=0):
        until = at if until is None else until
        self.said = Reach(BASE + round(at * SECOND), BASE + round(until * SECOND), lost)
        self.heartbeat.beat()

    def spans(self):
        frame = listened(self.store)
        return [
            tuple((time - BASE) / SECOND for time in span)
            for span in frame.astype("int64").itertuples(index=False)
        ]


@pytest.fixture
def told(file):
    store = Store(file)
    yield Told(store)
    store.close()


def test_a_span_grows_with_each_heartbeat(told):
    for at in (0, 10, 20.5, 35.5):
        told.beats(at)
    assert told.spans() == [(0, 35.5)]


def test_a_late_heartbeat_begins_another_span(told):
    for at in (0, 10, 25.1, 30):
        told.beats(at)
    assert told.spans() == [(0, 10), (25.1, 30)], "asleep, or held up, from 10 on at the latest"


def test_a_clock_that_goes_back_begins_another_span(told):
    for at in (0, 10, 4, 6):
        told.beats(at)
    assert told.spans() == [(0, 10), (4, 6)]


def test_a_lost_request_ends_the_span_at_the_heartbeat_before(told):
    told.beats(0)
    told.beats(10)
    told.beats(20, lost=1)
    told.beats(30, lost=1)
    told.beats(40, lost=2)
    told.beats(41, lost=2)
    assert told.spans() == [(0, 10), (20, 30), (40, 41)]


def test_what_is_still_coming_is_not_covered(told):
    told.beats(0)
    told.beats(10, until=7)
    assert told.spans() == [(0, 7)]
    told.beats(14, until=7)
    told.beats(20)
    assert told.spans() == [(0, 20)], "it was on time, and has come in meanwhile"


def test_what_came_before_the_span_takes_nothing_off_it(told):
    told.beats(0)
    told.beats(30, until=8)
    told.beats(35, until=12)
    told.beats(40)
    assert told.spans() == [(30, 40)]


def test_a_heartbeat_that_cannot_be_written_is_missing(told):
    told.beats(0)
    with contextlib.closing(sqlite3.connect(told.store.path)) as other, other:
        other.execute("ALTER TABLE listening RENAME TO gone")
    with pytest.raises(Exception, match="listening"):
        told.beats(10)
    with contextlib.closing(sqlite3.connect(told.store.path)) as other, other:
        other.execute("ALTER TABLE gone RENAME TO listening")
    told.beats(20)
    told.beats(25)
    assert told.spans() == [(20, 25)], "the one at 10 is missing: it is 20 s since 0"


# Time itself

_BEATING = """
import sys
from pathlib import Path
from webhooklab import clock
from webhooklab.background import BackgroundLoop
from webhooklab.heartbeat import Heartbeat, Reach
from webhooklab.store import Store

background = BackgroundLoop().start()

def reach():
    now = background.call(clock.now_us)
    return Reach(now, now, 0)

Heartbeat(Store(Path(sys.argv[1])), reach, every=0.02, stall=0.3).start(background)
print("true", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def beating(file):
    """A process whose heart beats fast, and the spans as another process sees them."""
    with Process(_BEATING, str(file)) as process:
        assert process.hear() is True
        store = Store(file, write=False)

        def grown(beyond=0):
            with store.reading() as connection:
                found = spans.spans(connection)
            return found[-1][1] > beyond and found if found else []

        until(grown)
        yield process, grown
        store.close()


def test_a_process_that_stands_still_did_not_listen(file):
    with beating(file) as (process, grown):
        os.kill(process.pid, signal.SIGSTOP)
        stopped = clock.now_us()
        time.sleep(0.5)  # this is the time in question
        slept = clock.now_us()
        os.kill(process.pid, signal.SIGCONT)
        until(lambda: grown(slept))
        (_, ended), (again, _) = grown()[-2:]
        assert ended <= stopped + 0.05 * SECOND
        assert again >= slept


def test_a_process_that_is_killed_listened_until_its_last_heartbeat(file):
    with beating(file) as (process, grown):
        process.kill()
        killed = clock.now_us()
        ((_, ended),) = grown()
        assert ended <= killed
        assert grown() == grown(), "and nobody adds to it"


def test_a_loop_that_is_held_up_did_not_listen(file):
    store, background = Store(file), BackgroundLoop().start()

    def reach():
        now = background.call(clock.now_us)
        return Reach(now, now, 0)

    heartbeat = Heartbeat(store, reach, every=0.02, stall=0.2)
    heartbeat.start(background)
    until(lambda: len(listened(store)))
    background.call(time.sleep, 0.4)
    until(lambda: len(listened(store)) == 2)
    heartbeat.stop()
    background.stop()
    frame = listened(store)
    store.close()
    gap = frame.started_at.iloc[1] - frame.stopped_at.iloc[0]
    assert gap >= pd.Timedelta(seconds=0.3)


# A lab's own


def test_open_close_and_open_again(file):
    before = clock.now_us()
    with Lab(file) as lab:
        opened = clock.now_us()
        post(lab.url)
    closed = clock.now_us()
    ((start, stop),) = spans_of(lab)
    assert before <= start <= opened <= stop <= closed
    with Lab(file) as again:
        reopened = beat(again)
        first, second = spans_of(again)
        assert first == (start, stop)
        assert closed <= second[0] < second[1] <= reopened
    assert [str(each) for each in again.listened.dtypes] == ["datetime64[us, UTC]"] * 2
    assert again.listened.index.name == "span"


def test_it_is_shown_up_to_now(lab):
    post(lab.url)
    frame = lab.listened
    assert frame.started_at[1] < lab.events.received_at[1] < frame.stopped_at[1]
    lab.close()
    assert len(lab.listened) == 1


def test_a_lab_that_is_killed_listened_until_its_last_heartbeat(file):
    with LabProcess(file) as process:
        process.say("lab._parts.server.heartbeat.beat()")
        process.say("print(json.dumps(len(lab.listened)), flush=True)")
        assert process.hear() == 1
        beaten = clock.now_us()
        assert post(process.url).status == 200
        process.kill()
    with Lab(file) as lab:
        beat(lab)
        (_, ended), (again, _) = spans_of(lab)
        assert ended <= beaten <= received(lab)[0] < again
        assert not covered(lab, received(lab)[0]), "more may have come after it"


def test_it_beats_by_itself(file, monkeypatch):
    monkeypatch.setitem(Heartbeat.__init__.__kwdefaults__, "every", 0.01)
    with Lab(file) as lab:
        start = clock.now_us()
        until(lambda: covered(lab, start))


def test_the_interval_is_shorter_than_the_grace():
    assert LISTENING_BEAT_SECONDS < 30, "or no webhook could be called missed in a quiet lab"


def _busy_store(lab):
    with lab._parts.store._writer.alone() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
    lab._parts.server.ingress.max_body_bytes = 2**20
    assert post(lab.url, b"lost" * 20_000).status == 503
    with lab._parts.store._writer.alone() as connection:
        connection.execute("PRAGMA max_page_count=1000000")


def _long_batch(lab):
    with lab.expect(1), Client(lab.url) as client:
        body = b"[" + b",".join([b"{}"] * (MAX_EVENTS_PER_DELIVERY + 1)) + b"]"
        kind = ("Content-Type: application/cloudevents-batch+json",)
        lab._parts.server.ingress.max_body_bytes = len(body)
        assert client.ask(request(headers=kind, body=body)).status == 200


def _crowd(lab):
    listener = lab._parts.server._listener
    listener._most_connections = 0
    with Client(lab.url) as client:
        assert client.answer().status == 503
    listener._most_connections = 100


def _asked(answer_status, sent):
    def ask(lab):
        with Client(lab.url) as client:
            assert client.ask(sent).status == answer_status

    return ask


def _broken_off(sent):
    def ask(lab):
        with Client(lab.url) as client:
            client.send(sent).finish_sending().rest()

    return ask


def _not_understood(lab):
    server = lab._parts.server
    before, server.ingress.interpreter = server.ingress.interpreter, None
    assert post(lab.url).status == 200
    server.ingress.interpreter = before


LOST = {
    "413": _asked(413, request(body=b"x" * (LIMIT + 1))),
    "431": _asked(431, request(headers=tuple("X: y" for _ in range(MAX_HEADER_COUNT)))),
    "malformed": _broken_off(b"POST / HTTP/3\r\n\r\n"),
    "the body broke off": _broken_off(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"),
    "the headers broke off": _broken_off(b"POST / HTT"),
    "503, not stored": _busy_store,
    "503, too many": _crowd,
    "a batch of more events than are kept": _long_batch,
    "not understood": _not_understood,
}


@pytest.mark.parametrize("what", LOST)
def test_a_request_that_was_not_kept_ends_the_span(file, what):
    with Lab(file, max_body_bytes=LIMIT) as lab:
        before = beat(lab)
        began = clock.now_us()
        LOST[what](lab)
        refused = clock.now_us()
        until(lambda: lab._parts.server.ingress.lost)
        beat(lab)
        beat(lab)
        (_, ended), (again, _) = spans_of(lab)
        assert ended <= before <= began
        assert again >= refused


def test_a_request_for_another_url_ends_nothing(file):
    with Lab(file, host="0.0.0.0") as lab:
        port = lab.url.split(":")[2].split("/")[0]
        assert post(f"http://127.0.0.1:{port}/", path="elsewhere").status == 404
        beat(lab)
        beat(lab)
        assert len(spans_of(lab)) == 1


def test_what_was_captured_ends_nothing(lab):
    for body in (b"", b"{", b"\0", b"[]"):
        assert post(lab.url, body).status == 200
    beat(lab)
    beat(lab)
    assert len(spans_of(lab)) == 1


def test_a_request_that_is_still_coming_is_not_covered_yet(lab):
    beat(lab)
    with Client(lab.url) as client:
        client.send(request(headers=("Content-Length: 4",)) + b"ha")
        until(lambda: lab._parts.server._listener.receiving_since)
        beat(lab)
        began = lab._parts.server._listener.receiving_since
        assert spans_of(lab)[-1][1] < began
        assert told_until(lab._parts.store) < began
        assert client.ask(b"lf").status == 200
    assert received(lab) == [began]
    beat(lab)
    assert covered(lab, began)


def test_what_this_turn_of_the_loop_has_brought_is_stored_before_it_is_covered(lab):
    server, store = lab._parts.server, lab._parts.store

    def turn():
        server.ingress.receive(arrival().request, None)
        server._submit()
        store.append([])
        return store.head

    assert server._background.call(turn) == 1


def test_what_a_span_covers_has_been_committed(lab):
    """Whatever is read after the span has all that came in it."""
    stop = threading.Event()

    def send():
        with Client(lab.url) as client:
            while not stop.is_set():
                client.ask(request(body=b"{}"))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    claims = []
    for _ in range(40):
        beat(lab)
        with lab._parts.store.reading() as connection:
            claims.append((told_until(lab._parts.store), lab._parts.store.head))
            assert connection
    stop.set()
    for sender in senders:
        sender.join()
    times = lab.events.received_at.astype("int64")
    for covered_until, head in claims:
        assert not (times[times.index > head] <= covered_until).any()


# Deleting


@pytest.fixture
def delivered(lab):
    """Three deliveries, and the listener beating after them."""
    for _ in range(3):
        post(lab.url)
    beat(lab)
    return received(lab)


def test_a_deleted_delivery_leaves_a_hole(lab, delivered):
    lab.delete(2)
    first, second, third = delivered
    assert covered(lab, first)
    assert not covered(lab, second)
    assert covered(lab, third)
    assert len(spans_of(lab)) == 2


def test_many_deleted_deliveries_leave_a_hole(lab, delivered):
    lab.delete([1, 2, 3])
    assert not any(covered(lab, each) for each in delivered)
    assert not covered(lab, (delivered[0] + delivered[2]) // 2), "one hole, for they are near"
    assert len(spans_of(lab)) == 2


def test_clear_leaves_a_hole(lab, delivered):
    lab.clear()
    assert not any(covered(lab, each) for each in delivered)
    beat(lab)
    post(lab.url)
    beat(lab)
    assert covered(lab, received(lab)[0])


def test_a_hole_stays_while_the_span_grows(lab, delivered):
    post(lab.url)  # after the last heartbeat: the span does not cover it yet
    young = received(lab)[-1]
    lab.delete(2)
    lab.delete(4)
    beat(lab)
    assert not covered(lab, young)
    assert not covered(lab, delivered[1])
    assert covered(lab, delivered[2])
    assert len(spans_of(lab)) == 3


def test_deleted_by_an_attached_lab(file):
    with LabProcess(file) as process:
        for _ in range(2):
            post(process.url)
        with pytest.warns(UserWarning, match="attached"):
            lab = Lab(file)
        times = received(lab)
        lab.delete(1)
        process.say("lab._parts.server.heartbeat.beat()")
        until(lambda: covered(lab, times[1]))
        assert not covered(lab, times[0])
        assert len(spans_of(lab)) == 2
        lab.close()


def test_what_is_far_apart_leaves_two_holes(file):
    with contextlib.closing(Store(file)) as store, store.writing() as connection:
        span = spans.begin(connection, 0)
        spans.extend(connection, span, 100 * SECOND)
        spans.cut(connection, [50 * SECOND, 20 * SECOND, 15 * SECOND])
        spans.cut(connection, [17 * SECOND, 100 * SECOND])
        spans.cut(connection, [200 * SECOND])
        assert spans.spans(connection) == [
            (0, 15 * SECOND - 1),
            (20 * SECOND + 1, 50 * SECOND - 1),
            (50 * SECOND + 1, 100 * SECOND - 1),
        ]


# Who looks at it


def test_an_attached_lab_sees_it(file):
    with LabProcess(file) as process:
        process.say("lab._parts.server.heartbeat.beat()")
        with pytest.warns(UserWarning, match="attached"):
            lab = Lab(file)
        until(lambda: len(spans_of(lab)) == 1)
        lab.close()


def test_up_to_when_the_file_tells(file):
    with Lab(file) as lab:
        store = lab._parts.store
        beat(lab)
        assert told_until(store) == spans_of(lab)[-1][1], "the heartbeat before"
    with store.reading() as connection:
        newest = spans.newest(connection)
    assert told_until(store) == newest
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE listening SET stopped_at = stopped_at - 15000000")
    before = clock.now_us()
    assert told_until(store) >= before, "nobody listens any more: nothing is awaited"
    with contextlib.closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE listening SET stopped_at = ?", (clock.now_us() + 10**9,))
    assert told_until(store) <= clock.now_us(), "nobody knows the future"


@pytest.mark.parametrize("step", range(1, VERSION))
def test_a_file_of_an_earlier_step_can_be_listened_for(file, step):
    with contextlib.closing(sqlite3.connect(file)) as old:
        for text in STEPS[:step]:
            old.executescript(text)
        old.execute(f"PRAGMA user_version={step}")
        old.execute(f"PRAGMA application_id={APPLICATION_ID}")
    with Lab(file) as lab:
        post(lab.url)
        beat(lab)
        assert covered(lab, received(lab)[0])
        lab.delete(1)
        assert len(spans_of(lab)) == 2
