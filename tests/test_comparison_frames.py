"""`compare` of frames that people make themselves, or have from a file: few columns, any dtype."""

import io

import pandas as pd
import pytest

from tests.comparison_parts import at, polls
from webhooklab.comparison import CHANGE_COLUMNS, compare

EVENTS = pd.DataFrame({"received_at": [at(5)], "entity_id": ["proof"], "version": ["1"]})
SNAPSHOTS = pd.DataFrame(
    {
        "entity_id": ["proof", "1", "1"],
        "version": ["1", "1", "2"],
        "not_seen_at": [at(0), pd.NaT, at(190)],
        "polled_at": [at(10), at(10), at(200)],
    }
)
LISTENING = pd.DataFrame({"started_at": [at(-100)], "stopped_at": [pd.NaT]})
TIMES = ["received_at", "not_seen_at", "polled_at", "started_at", "stopped_at"]


def verdicts(pushed=EVENTS, pulled=SNAPSHOTS, spans=LISTENING, **more):
    comparison = compare(pushed, pulled, listening=spans, now=at(1_000), **more)
    changes = comparison.changes
    assert {name: str(dtype) for name, dtype in changes.dtypes.items()} == CHANGE_COLUMNS
    assert comparison.verdict
    assert len(comparison.what_if()) == 5
    assert len(comparison.at_a_glance) == 6
    return dict(zip(changes["entity_id"], changes["verdict"], strict=True))


EXPECTED = {"1": "poll_only", "proof": "both"}


def of_times(frame, change):
    """The frame with its columns of times changed."""
    return frame.assign(**{name: change(frame[name]) for name in TIMES if name in frame})


@pytest.mark.parametrize(
    "change",
    [
        lambda times: pd.to_datetime(times, utc=True).astype("datetime64[ns, UTC]"),
        lambda times: pd.to_datetime(times, utc=True).astype("datetime64[s, UTC]"),
        lambda times: pd.to_datetime(times, utc=True).dt.tz_convert("Asia/Tokyo"),
        lambda times: pd.to_datetime(times, utc=True).dt.tz_localize(None),
        lambda times: times.astype(object),
        lambda times: [None if pd.isna(time) else time.isoformat() for time in times],
    ],
    ids=["ns", "s", "another zone", "naive", "objects", "texts"],
)
def test_times_of_any_dtype(change):
    frames = (of_times(frame, change) for frame in (EVENTS, SNAPSHOTS, LISTENING))
    assert verdicts(*frames) == EXPECTED


def test_texts_of_times_of_which_some_have_a_fraction():
    times = ["2026-01-01T00:00:10.5Z", "2026-01-01T00:00:10Z", "2026-01-01 00:03:20.123456+00:00"]
    assert verdicts(pulled=SNAPSHOTS.assign(polled_at=times)) == EXPECTED


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_texts_of_any_dtype(dtype):
    kinds = {"entity_id": dtype, "version": dtype}
    assert verdicts(EVENTS.astype(kinds), SNAPSHOTS.astype(kinds)) == EXPECTED


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "int64[pyarrow]"])
def test_versions_that_are_numbers(dtype):
    frames = (frame.astype({"version": "int64"}) for frame in (EVENTS, SNAPSHOTS))
    assert verdicts(*(frame.astype({"version": dtype}) for frame in frames)) == EXPECTED


def test_frames_of_arrow_dtypes():
    arrow = {"dtype_backend": "pyarrow"}
    frames = (frame.convert_dtypes(**arrow) for frame in (EVENTS, SNAPSHOTS, LISTENING))
    assert verdicts(*frames) == EXPECTED


@pytest.mark.parametrize("columns", [["polled_at"], ["polled_at", "status", "changed"]])
def test_polls_of_few_columns(columns):
    made = polls({"requested_at": 9.8, "changed": 2}, {"requested_at": 199.8, "changed": 1})
    named = made[columns].assign(poller="orders")
    pulled = SNAPSHOTS.assign(poller="orders")
    assert verdicts(pulled=pulled, polls=named) == EXPECTED
    assert verdicts(polls=made[columns]) == EXPECTED
    assert compare(EVENTS, pulled, polls=named).summary["failed_polls"] == 0


def test_spans_without_an_end_are_still_open():
    assert verdicts(spans=LISTENING[["started_at"]]) == EXPECTED


def test_events_whose_seq_is_a_column_as_in_a_file():
    later = EVENTS.assign(received_at=[at(6)])
    both = pd.concat([EVENTS, later]).assign(seq=[17, 18], duplicate_of=[None, 17])
    read = pd.read_csv(io.StringIO(both.to_csv(index=False)), dtype={"version": "str"})
    changes = compare(read, SNAPSHOTS).changes.set_index("entity_id")
    assert changes.loc["proof", "event_seq"] == 17
    assert changes.loc["proof", "duplicate"]
    thin = both.assign(version=None, item=0)
    fetched = pd.DataFrame({"seq": [17], "version": ["1"], "status": [200], "fetched_at": [at(7)]})
    assert verdicts(thin, fetches=fetched)["proof"] == "both"
