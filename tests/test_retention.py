"""`Lab(keep=...)`: the oldest go, in the background; what stays is as it was, and it is said."""

import contextlib
import threading
import time
from datetime import timedelta

import pandas as pd
import pytest

from tests.process_parts import end_listener
from tests.raw_http import Client, post, request
from tests.store_parts import arrival
from tests.waiting import until
from webhooklab import Lab, clock, read, retaining
from webhooklab.errors import RetentionError
from webhooklab.observations import Observations
from webhooklab.pulled import Change, Poll, Subject
from webhooklab.retention import parse_keep
from webhooklab.store import Store, dropping, spans
from webhooklab.views import Views

HOUR_US = 3_600_000_000


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(retaining, "RETENTION_EVERY_SECONDS", 0.02)


@pytest.fixture
def store(file):
    with contextlib.closing(Store(file)) as opened:
        yield opened


def fill(store, count, body=b"{}"):
    store.append([arrival(body) for _ in range(count)])


def age(store, seqs, hours):
    """Have deliveries been stored so long ago."""
    with store.writing() as connection:
        connection.execute(
            "UPDATE deliveries SET stored_at = stored_at - ? WHERE seq <= ?",
            (hours * HOUR_US, seqs),
        )


def left(store):
    return store.seqs_after(0, -1, "1", ())


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ("7d", "seconds", 7 * 86_400),
        ("1.5 h", "seconds", 5_400),
        ("30min", "seconds", 1_800),
        ("2w", "seconds", 14 * 86_400),
        (timedelta(days=30), "seconds", 30 * 86_400),
        (timedelta(milliseconds=1500), "seconds", 1.5),
        (100_000, "rows", 100_000),
        ("100_000", "rows", 100_000),
        ("2GB", "size", 2 * 10**9),
        ("1.5 gib", "size", 3 * 2**29),
    ],
)
def test_what_is_to_be_kept(given, name, value):
    keep = parse_keep(given)
    assert getattr(keep, name) == value
    assert [keep.rows, keep.seconds, keep.size].count(None) == 2
    again = parse_keep(keep.text)
    assert (again.rows, again.seconds, again.size) == (keep.rows, keep.seconds, keep.size)


@pytest.mark.parametrize(
    "given",
    [
        *(0, -1, True, 1.5, b"7d", [], 2**63, timedelta(0), timedelta(days=-1)),
        *("", "-7d", "7 days", "5m", "2G", "d", "1e3", "0", "0d", "1KB", "\u0663d"),
    ],
)
def test_what_is_not_understood_is_an_error_and_nothing_is_opened(given, file):
    with pytest.raises(RetentionError, match="keep="):
        Lab(file, keep=given)
    assert not file.exists()


def test_all_is_kept_by_default_and_keep_is_not_remembered(file):
    with Lab(file, keep=3) as lab:
        fill(lab._parts.store, 5)
        until(lambda: len(lab) == 3)
    with Lab(file) as lab:
        fill(lab._parts.store, 5)
        lab._parts.listening.capturing.retention._look.set()
        time.sleep(0.1)
        assert len(lab) == 8


def test_so_many_deliveries_are_kept_and_it_is_said(file):
    with Lab(file, keep=20) as lab:
        for number in range(50):
            post(lab.url, b"%d" % number)
        until(lambda: len(lab) == 20)
        assert list(lab.events.index) == list(range(31, 51)) == list(lab.find().index)
        assert (lab.head, lab[-1].body) == (50, b"49")
        (notice,) = lab._describe().notices
        assert "30 older deliveries were dropped" in notice
        assert "keep='20'" in notice
        lab.delete([40, 41])
        post(lab.url)
        post(lab.url)
        post(lab.url)
        until(lambda: len(lab) == 20)
        assert lab.events.index[0] == 32


def test_what_was_stored_longer_ago_goes(store):
    fill(store, 10)
    age(store, 4, hours=5)
    keep = parse_keep("4h")
    retention = retaining.Retaining(store, keep)
    retention._hold_to(keep)
    assert left(store) == list(range(5, 11))
    with store.reading() as connection:
        assert store.dropped(connection).count == 4


@pytest.mark.parametrize("line", range(3))
def test_stop_is_heard_at_whatever_line_of_its_thread_it_comes(store, monkeypatch, line):
    monkeypatch.setattr(retaining, "RETENTION_EVERY_SECONDS", 60)
    retention = retaining.Retaining(store, None)
    stopper = threading.Thread(target=retention.stop, daemon=True)
    lines = []

    def trace(frame, event, _):
        if frame.f_code is not retaining.Retaining._run.__code__:
            return None
        lines.append(event)
        if lines.count("line") == line + 1 and not stopper.ident:
            stopper.start()
            until(retention._look.is_set)
        return trace

    traced = threading.gettrace()
    threading.settrace(trace)
    try:
        retention.start()
    finally:
        threading.settrace(traced)
    until(lambda: stopper.ident)
    stopper.join(10)
    assert not stopper.is_alive()


def test_a_file_is_kept_to_a_size_and_compact_gives_the_rest_back(store, file):
    fill(store, 300, b"x" * 20_000)
    assert store.used_bytes() > 6_000_000
    keep = parse_keep("4MB")
    retaining.Retaining(store, keep)._hold_to(keep)
    assert 3_000_000 < store.used_bytes() <= 4_000_000
    assert left(store)[-1] == 300
    before = file.stat().st_size
    freed = store.compact()
    assert freed > 1_500_000
    assert file.stat().st_size == before - freed


def test_the_newest_stay_however_small_the_size(store):
    fill(store, 120, b"x" * 40_000)
    keep = parse_keep("1MB")
    retaining.Retaining(store, keep)._hold_to(keep)
    assert left(store) == list(range(21, 121))


def test_one_step_is_bounded_in_rows_bytes_and_events(store, monkeypatch):
    fill(store, 30, b"x" * 1000)
    monkeypatch.setattr(dropping, "DROP_CHUNK_ROWS", 10)
    assert store.drop_oldest(1000).count == 10
    monkeypatch.setattr(dropping, "DROP_CHUNK_BYTES", 2_500)
    assert store.drop_oldest(1000).count == 2
    with store.writing() as connection:
        connection.execute("UPDATE deliveries SET event_count = 10000 WHERE seq = 13")
    assert store.drop_oldest(1000).count == 1, "one at least"
    assert left(store)[0] == 14
    assert store.drop_oldest(1000, before=0) is None


def test_frames_that_were_read_before_lose_what_was_dropped(store):
    views = Views(store)
    headers = (("Content-Type", "application/json"),)
    store.append([arrival(b'{"old": 1}', headers=headers)])
    store.append([arrival(b'{"new": 1}', headers=headers) for _ in range(9)])
    read_before = views.events(), views.unbatched(), views.payloads()
    for count, first in ((1, 2), (2, 4), (5, 9)):
        store.drop_oldest(count)
        for frame in (views.events(), views.unbatched(), views.payloads()):
            assert list(frame.index.get_level_values("seq")) == list(range(first, 11))
        assert list(views.payloads().columns) == ["new"]
        pd.testing.assert_frame_equal(views.events(), Views(store).events())
    assert [len(frame) for frame in read_before] == [10, 10, 10]
    frame = views.events()
    frame.loc[10, "method"] = "changed"
    assert views.events().loc[10, "method"] == "POST"


def test_what_was_fetched_and_listened_for_goes_with_it(store):
    fill(store, 3)
    now = clock.now_us()
    with store.writing() as connection:
        connection.execute(
            "INSERT INTO fetches (fetcher, seq, item, attempts) "
            "VALUES ('f', 1, 0, 1), ('f', 3, 0, 1)"
        )
        old = spans.begin(connection, now - 9 * HOUR_US)
        spans.extend(connection, old, now - 8 * HOUR_US)
        growing = spans.begin(connection, now - 7 * HOUR_US)
        spans.extend(connection, growing, now - HOUR_US)
    age(store, 2, hours=2)
    part = store.drop_oldest(2)
    with store.reading() as connection:
        assert connection.execute("SELECT seq FROM fetches").fetchall() == [(3,)]
        assert spans.spans(connection) == [(part.until + 1, now - HOUR_US)]
    store.drop_oldest(1)
    with store.writing() as connection:
        assert spans.spans(connection) == [], "nothing is known of the time before"
        spans.extend(connection, growing, now + HOUR_US)
        assert len(spans.spans(connection)) == 1, "and it goes on from here"
        assert connection.execute("SELECT count(*) FROM holes").fetchone() == (1,)


def poll_at(observations, hours_ago, changes=(), *, complete=True):
    at = clock.now_us() - round(hours_ago * HOUR_US)
    poll = Poll(
        url="http://a/",
        requested_at=at,
        polled_at=at,
        status=200,
        elapsed_ms=1,
        response_bytes=1,
        request_count=1,
        item_count=1,
        changed=len(changes),
        not_modified=False,
        complete=complete,
        rate_remaining=None,
        server_date=None,
        error=None,
    )
    made = [
        Change(entity_id=name, version=None, state=state, not_seen_at=None, fingerprint=b"x")
        for name, state in changes
    ]
    observations.record(Subject("p", None, None), poll, changes=made)


def test_polls_and_states_that_are_over_go_and_what_a_poller_needs_stays(store):
    observations = Observations(store)
    observations.begin("p", "d")
    poll_at(observations, 9, [("a", "1"), ("still", "1")])
    poll_at(observations, 8, [("a", "2")])
    poll_at(observations, 7, [("a", None), ("b", "1")])
    poll_at(observations, 6)
    poll_at(observations, 5, complete=False)
    keep = parse_keep("4h")
    retaining.Retaining(store, keep)._hold_to(keep)
    shown = observations.snapshots()
    assert shown[["entity_id", "deleted"]].to_numpy().tolist() == [
        ["still", False],
        ["a", True],
        ["b", False],
    ]
    assert shown["last_seen_at"].isna().tolist() == [False, False, False]
    assert list(observations.polls().index) == [1, 3, 4]
    known = observations.begin("p", "d")
    assert set(known.fingerprints) == {"a", "b", "still"}


def test_polls_stay_where_only_deliveries_are_counted_and_none_is_too_many(store):
    observations = Observations(store)
    observations.begin("p", "d")
    for hours in (9, 8, 7):
        poll_at(observations, hours)
    keep = parse_keep(5)
    retaining.Retaining(store, keep)._hold_to(keep)
    assert len(observations.polls()) == 3


def test_a_reader_that_holds_a_moment_goes_on_reading_it(file):
    with Lab(file, keep=5) as lab:
        fill(lab._parts.store, 5)
        frame = lab.events
        with lab._parts.store.reading() as connection:
            chunks = lab._parts.store.chunks(connection)
            fill(lab._parts.store, 40)
            until(lambda: len(lab) == 5)
            assert sum(len(chunk["seq"]) for chunk in chunks) == 5
        pd.testing.assert_frame_equal(frame, frame.copy())
        assert list(frame.index) == [1, 2, 3, 4, 5]
        assert list(lab.events.index) == list(range(41, 46))


def test_capture_goes_on_meanwhile_and_loses_nothing(file):
    with Lab(file) as lab:
        fill(lab._parts.store, 20_000, b"old" * 300)
    with Lab(file, keep=1_000) as lab:
        statuses, slowest = [], 0.0
        with Client(lab.url) as client:
            while len(lab) > 1_100:
                begun = time.monotonic()
                statuses.append(client.ask(request(body=b"new")).status)
                slowest = max(slowest, time.monotonic() - begun)
        assert set(statuses) == {200}
        assert len(statuses) > 20
        assert slowest < 1.0
        assert lab[-1].body == b"new"
        assert lab.head == 20_000 + len(statuses)


def test_a_process_that_listens_keeps_to_it_and_the_leader_may_change_it(file):
    with Lab(file) as lab:
        fill(lab._parts.store, 50)
    try:
        for keep, kept in ((40, 40), (30, 30), (None, 30)):
            lab = Lab(file, listener="process", keep=keep)
            until(lambda: len(lab) == kept)  # noqa: B023
            assert lab.health().keep == str(kept), "None leaves it as it is"
        lab.close()
    finally:
        end_listener(file)
    assert len(read(file)) == 30
