"""Every frame: the contract's columns and dtypes, pandas' idioms, and no way back into the lab."""

import contextlib
import gc
import json
import pickle
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from tests.inputs import send
from webhooklab import Lab, read
from webhooklab.frames import LOG_COLUMNS
from webhooklab.records import EVENT_COLUMNS

DTYPES = {"time": "datetime64[us, UTC]", "text": "str", "count": "Int64", "bytes": "object"}
BATCH = [
    {"specversion": "1.0", "id": str(n), "source": "s", "type": "t.x", "subject": f"e{n}"}
    for n in range(3)
]


@pytest.fixture
def full(lab):
    """A Lab with orders, one of them odd, and a batch of three."""
    bodies = [
        json.dumps({"type": f"order.{name}", "id": f"o{n}", "n": n, "l": [n]}).encode()
        for n, name in enumerate(["paid", "shipped", "paid"])
    ]
    send(lab.url, [("application/json", body) for body in [*bodies, b"[]"]])
    send(lab.url, [("application/cloudevents-batch+json", json.dumps(BATCH).encode())])
    lab.map(event_type="type", entity_id="id")
    return lab


FRAMES = {
    "events": lambda lab: lab.events,
    "unbatched": lambda lab: lab.unbatched,
    "payloads": lambda lab: lab.payloads,
    "payloads_of": lambda lab: lab.payloads_of("order.paid"),
    "find": lambda lab: lab.find("order"),
    "slice": lambda lab: lab[1:4],
    "log": lambda lab: lab.log,
}
every_frame = pytest.mark.parametrize("frame_of", FRAMES.values(), ids=FRAMES)


def check_columns(frame, columns):
    wanted = {name: DTYPES[EVENT_COLUMNS[name]] for name in columns}
    assert frame.dtypes.astype(str).to_dict() == wanted


def test_the_columns_and_dtypes_of_the_contract(full):
    for lab in (full, Lab(None)):
        check_columns(lab.events, EVENT_COLUMNS)
        check_columns(lab[0:9], EVENT_COLUMNS)
        check_columns(lab.find(), [name for name in EVENT_COLUMNS if name != "body"])
        check_columns(lab.find(columns=["path", "body"]), ["path", "body"])
        check_columns(lab.unbatched, [name for name in EVENT_COLUMNS if name != "event_count"])
        log = {name: DTYPES[kind] for name, kind in LOG_COLUMNS.items()}
        assert lab.log.dtypes.astype(str).to_dict() == log
        assert str(lab.events.index.dtype) == "int64"
        assert [lab.events.index.name, lab.log.index.name] == ["seq", "entry"]
        assert lab.unbatched.index.names == ["seq", "item"]
        lab.close()


def test_no_column_has_the_name_of_something_that_a_frame_has():
    names = {*EVENT_COLUMNS, *LOG_COLUMNS, "seq", "item", "entry"}
    assert not {name for name in names if hasattr(pd.DataFrame, name)}


def test_bodies_are_bytes_and_absent_is_na(full):
    events = full.events
    assert set(map(type, events["body"])) == {bytes}
    assert events["event_type"].isna().tolist() == [False] * 3 + [True] * 2
    assert events["occurred_at"].isna().all()
    assert events.loc[5, "event_count"] == 3
    assert pd.isna(events.loc[5, "event_id"])


def test_unbatched_has_a_row_for_each_event(full):
    frame = full.unbatched
    assert frame.index.tolist() == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 1), (5, 2)]
    assert frame.loc[5, "entity_id"].tolist() == ["e0", "e1", "e2"]
    assert [json.loads(body) for body in frame.loc[5, "body"]] == BATCH
    assert frame.loc[(1, 0), "body"] == full[1].body
    assert (frame.loc[5, "received_at"] == full.events.loc[5, "received_at"]).all()


def test_idioms_on_times(full):
    events = full.events
    day = f"{events['received_at'].iloc[0]:%Y-%m-%d}"
    by_time = events.set_index("received_at")
    assert len(by_time.loc[day]) == len(by_time.loc[day:]) == 5
    assert by_time.loc["1999-01":"1999-02"].empty
    assert len(by_time.resample("1D")) == 1
    right = pd.DataFrame({"at": events["received_at"], "mark": range(5)})
    merged = pd.merge_asof(events, right, left_on="stored_at", right_on="at")
    assert merged["mark"].notna().all()
    assert events["received_at"].dt.year.eq(int(day[:4])).all()
    assert (events["stored_at"] - events["received_at"]).dtype == "timedelta64[us]"
    assert events[events["received_at"] > pd.Timestamp("2020-01-01", tz="UTC")].shape[0] == 5


def test_idioms_on_rows_and_text(full):
    events = full.events
    assert events.loc[2, "event_type"] == "order.shipped"
    assert events.loc[2:4].index.tolist() == [2, 3, 4]
    assert events.groupby("event_type").size().to_dict() == {"order.paid": 2, "order.shipped": 1}
    assert events["event_type"].str.startswith("order").sum() == 3
    assert events["path"].str.len().eq(1).all()
    joined = events.join(full.payloads)
    assert joined.loc[3, "n"] == 2
    assert events.sort_values("body_bytes").index[0] == 4
    assert events.query("event_type == 'order.paid'").index.tolist() == [1, 3]
    assert events["status"].value_counts().to_dict() == {200: 5}
    table = events.pivot_table(index="event_type", values="body_bytes", aggfunc="sum")
    assert table.index.tolist() == ["order.paid", "order.shipped"]
    assert pd.concat([events, events.iloc[:0]]).dtypes.equals(events.dtypes)


@every_frame
def test_a_frame_goes_through_parquet(full, frame_of, tmp_path):
    frame = frame_of(full)
    frame.to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")
    columns = [name for name in frame.columns if name not in ("l", "$")]  # lists: as arrays
    pd.testing.assert_frame_equal(back[columns], frame[columns])


def poison(value):
    """Another value of the same kind, which nobody has sent."""
    if isinstance(value, list):
        value.append("poison")
    kinds = {bool: False, int: 666, float: 6.66, str: "poison", bytes: b"poison", list: ["poison"]}
    return kinds.get(type(value), pd.Timestamp("1999-09-09", tz="UTC"))


def set_loc(frame, name):
    frame.loc[frame.index[0], name] = poison(frame[name].iloc[0])


def set_iloc(frame, name):
    frame.iloc[0, frame.columns.get_loc(name)] = poison(frame[name].iloc[0])


def set_at(frame, name):
    frame.at[frame.index[0], name] = poison(frame[name].iloc[0])  # noqa: PD008


def set_array(frame, name):
    frame[name].array[0] = poison(frame[name].iloc[0])


def set_series(frame, name):
    series = frame.pop(name)
    series.iloc[0] = poison(series.iloc[0])


def set_numpy(frame, name):
    np.asarray(frame[name])[0] = 1


def change_cells(frame, name):
    for cell in frame[name]:
        poison(cell)


def set_copy(frame, name):
    frame.insert(0, "copy", frame[name])
    set_loc(frame, "copy")


def set_masked(frame, name):
    frame[name] = frame[name].mask(frame[name].notna())


def set_index(frame, _name):
    flat = frame.reset_index()
    flat.iloc[0, 0] = 666


def set_index_array(frame, _name):
    frame.index.to_numpy()[0] = 666


def rename(frame, _name):
    frame.columns = ["x"] * len(frame.columns)
    frame.index = range(len(frame))


def drop(frame, name):
    del frame[name]
    frame.drop(index=frame.index[0], inplace=True)  # noqa: PD002


MUTATIONS = (
    *(set_loc, set_iloc, set_at, set_array, set_series, set_numpy, change_cells, set_copy),
    *(set_masked, set_index, set_index_array, rename, drop),
)


@every_frame
@pytest.mark.filterwarnings("ignore")  # pandas' own, about what is done here to its frames
def test_what_is_done_to_a_frame_does_not_reach_the_next_one(full, frame_of):
    before = pickle.loads(pickle.dumps(frame_of(full)))
    for name in before.columns:
        for mutate in MUTATIONS:
            frame = frame_of(full)
            with contextlib.suppress(TypeError, ValueError, IndexError):  # read-only, or no such
                mutate(frame, name)
        pd.testing.assert_frame_equal(frame_of(full), before)


def change_all(frame):
    """Put the last row's values into the first row, in place."""
    for name in frame.columns if len(frame) else ():
        value = frame[name].iloc[-1]
        if pd.api.types.is_scalar(value):
            frame.loc[frame.index[0], name] = value


@every_frame
def test_a_frame_is_the_users_to_change(full, frame_of):
    before, frame = frame_of(full), frame_of(full)
    change_all(frame)
    change_all(frame[frame.columns[::-1]])
    pd.testing.assert_frame_equal(frame_of(full), before)


def test_a_frame_is_the_users_to_change_also_after_many_others_came(full):
    old = full.events
    part = old[["received_at", "status", "body"]]
    for _ in range(3):
        send(full.url, [(None, b"more")] * 100)
        len(full.events)
    now = full.events.copy()
    change_all(part)
    change_all(old)
    pd.testing.assert_frame_equal(full.events, now)


@every_frame
def test_a_frame_that_is_gone_leaves_nothing(full, frame_of):
    def series():
        gc.collect()
        return sum(type(each) is pd.Series for each in gc.get_objects())

    len(frame_of(full))
    before = series()
    for _ in range(3):
        len(frame_of(full))
    assert series() == before


def test_a_frame_is_the_users_to_change_also_when_nothing_else_is_left(full):
    frame = read(full.path)  # whose reader is gone
    change_all(frame)
    assert frame["body"].iloc[0] == frame["body"].iloc[-1]
    flat = read(full.path).reset_index()
    change_all(flat)
    assert flat["seq"].iloc[0] == flat["seq"].iloc[-1]


@pytest.mark.parametrize(
    "frame_of",
    [Lab.find, lambda lab: lab[:], lambda lab: read(lab.path)],
    ids=["find", "[]", "read"],
)
def test_frames_that_are_gone_take_no_memory(full, frame_of):
    send(full.url, [(None, b"more")] * 400)
    looks = 30
    tracemalloc.start()
    try:
        one = frame_of(full).drop(columns="body", errors="ignore").memory_usage().sum()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(looks):
            frame_of(full)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < one * looks / 10


def test_a_frame_stays_as_it_was_while_others_come(full):
    kept = full.events
    copy = kept.copy(deep=True)
    for _ in range(3):
        send(full.url, [(None, b"more")] * 40)
        assert len(full.events) > len(kept)
    pd.testing.assert_frame_equal(kept, copy)


def test_frames_are_read_from_several_threads_while_deliveries_come(lab):
    lab.map(event_type="type")
    failures = []
    stop = threading.Event()

    def read():
        try:
            last = 0
            while not stop.is_set():
                events, payloads, unbatched = lab.events, lab.payloads, lab.unbatched
                assert events.index.is_monotonic_increasing
                assert len(events) >= last
                assert (events["body_bytes"] == events["body"].map(len)).all()
                assert payloads["type"].eq("a").all() if len(payloads) else True
                assert unbatched.index.is_unique
                last = len(events)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        send(lab.url, [("application/json", b'{"type":"a","n":1}')] * 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(lab.events) == len(lab.payloads) == 200
