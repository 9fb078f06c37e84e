"""What polls show becomes rows: baseline, changes, deletions, and what each poll proves."""

import pandas as pd
import pytest

from tests.api_parts import Api, always, last, pulling_in, shown, started, states
from tests.raw_server import raw


@pytest.fixture
def api():
    with Api(always(shown([]))) as server:
        yield server


def now(api, data, *headers):
    api.answer = always(shown(data, *headers))


def test_empty_frames_have_the_columns_and_dtypes_of_full_ones(pulling, api):
    def dtypes():
        frames = (pulling.observations.polls(), pulling.observations.snapshots())
        return [dict(frame.dtypes) for frame in frames]

    empty = dtypes()
    now(api, [{"id": 1}])
    started(pulling, api.url)
    assert dtypes() == empty
    assert not {"size", "query", "items"} & {name for frame in empty for name in frame}


def test_the_first_poll_is_the_baseline_and_the_second_writes_only_what_changed(pulling, api):
    now(api, [{"id": 1, "a": 1}, {"id": "2", "a": 1}])
    poller = started(pulling, api.url, version="a", provider="p", entity_type="order")
    now(api, [{"a": 2, "id": 1}, {"id": "2", "a": 1}, {"id": 3, "a": 1}])
    poll = poller.poll_now()
    assert (poll.changed, poll.item_count, poll.complete) == (2, 3, True)
    rows = pulling.observations.snapshots()
    assert list(rows["entity_id"]) == ["1", "2", "1", "3"]
    assert list(rows["version"]) == ["1", "1", "2", "1"]
    assert set(rows["provider"]) == {"p"}
    assert set(rows["entity_type"]) == {"order"}
    polls = pulling.observations.polls()
    assert list(rows["not_seen_at"].isna()) == [True, True, False, False]
    assert set(rows["not_seen_at"].dropna()) == {polls["requested_at"].iloc[0]}
    assert (
        list(rows["polled_at"])
        == [*[polls["polled_at"].iloc[0]] * 2] + [polls["polled_at"].iloc[1]] * 2
    )
    assert rows["changed_fields"].iloc[2] == ["a"]
    assert rows["changed_fields"].isna().tolist() == [True, True, False, True]


def test_what_is_seen_still_costs_no_row_and_is_seen_by_the_last_poll(pulling, api):
    now(api, [{"id": 1, "a": 1}, {"id": 2}])
    poller = started(pulling, api.url)
    now(api, [{"id": 1, "a": 2}, {"id": 2}])
    poller.poll_now()
    poller.poll_now()
    poller.poll_now()
    polls, rows = pulling.observations.polls(), pulling.observations.snapshots()
    begun = list(polls["requested_at"])
    assert len(rows) == 3
    assert list(rows["last_seen_at"]) == [begun[0], begun[-1], begun[-1]]


def test_a_304_rewrites_nothing(pulling, api):
    def answer(asked):
        if asked.headers.get("if-none-match") == '"v1"':
            return raw(304)
        return shown([{"id": 1}], 'ETag: "v1"')

    api.answer = answer
    poller = started(pulling, api.url)
    poll = poller.poll_now()
    assert (poll.status, poll.not_modified, poll.complete, poll.changed) == (304, True, True, 0)
    assert poll.response_bytes == 0
    rows = pulling.observations.snapshots()
    assert len(rows) == 1
    assert rows["last_seen_at"].iloc[0] == last(pulling)["requested_at"]
    assert poller.stats["not_modified"] == poller.stats["wasted"] == 1


def test_last_modified_is_believed_only_after_its_own_second(pulling, api):
    stamps = ["Last-Modified: Mon, 02 Mar 2026 10:00:00 GMT"]
    fresh = [*stamps, "Date: Mon, 02 Mar 2026 10:00:00 GMT"]
    old = [*stamps, "Date: Mon, 02 Mar 2026 10:00:05 GMT"]
    api.answer = always(shown([{"id": 1}], *fresh))
    poller = started(pulling, api.url)
    api.answer = always(shown([{"id": 1}], *old))
    poller.poll_now()
    poller.poll_now()
    conditions = ["if-modified-since" in asked.headers for asked in api.asked]
    assert conditions == [False, False, True]


def test_what_could_not_be_stored_is_brought_by_the_next_poll(pulling, api, tmp_path):
    def answer(asked):
        tag = f'"{len(data)}"'
        known = asked.headers.get("if-none-match") == tag
        return raw(304) if known else shown(data, f"ETag: {tag}")

    data = [{"id": 1}]
    api.answer = answer
    poller = started(pulling, api.url)
    path, hidden = tmp_path / "captures.db", tmp_path / "elsewhere"
    data = [{"id": 1}, {"id": 2}]
    path.rename(hidden)
    poller.poll_now()
    hidden.rename(path)
    assert "could not be stored" in poller.stats["last_error"]
    assert poller.poll_now().changed == 1
    assert len(states(pulling)) == 2


def test_what_vanishes_from_a_full_list_is_deleted_and_may_come_back(pulling, api):
    now(api, [{"id": 1}, {"id": 2}])
    poller = started(pulling, api.url)
    now(api, [{"id": 2}])
    poller.poll_now()
    poller.poll_now()
    now(api, [{"id": 1}, {"id": 2}])
    poller.poll_now()
    assert states(pulling) == [("1", {"id": 1}), ("2", {"id": 2}), ("1", None), ("1", {"id": 1})]
    rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
    assert rows["deleted"].tolist() == [False, False, True, False]
    assert list(rows["not_seen_at"].iloc[2:]) == [begun.iloc[0], begun.iloc[2]]
    assert list(rows["last_seen_at"]) == [
        begun.iloc[0],
        begun.iloc[3],
        begun.iloc[2],
        begun.iloc[3],
    ]
    assert poller.stats["entities"] == 2


def test_an_empty_list_deletes_all(pulling, api):
    now(api, [{"id": 1}])
    poller = started(pulling, api.url)
    now(api, [])
    poller.poll_now()
    assert states(pulling)[-1] == ("1", None)


def test_what_leaves_a_window_is_not_deleted(pulling, api):
    now(api, [{"id": 1}, {"id": 2}])
    poller = started(pulling, api.url, full=False)
    now(api, [{"id": 2}])
    poller.poll_now()
    poller.poll_now()
    begun = pulling.observations.polls()["requested_at"]
    assert pulling.observations.snapshots()["last_seen_at"].tolist() == [begun[1], begun[3]]
    now(api, [{"id": 1}, {"id": 2}])
    poller.poll_now()
    assert len(states(pulling)) == 2
    begun = pulling.observations.polls()["requested_at"]
    assert set(pulling.observations.snapshots()["last_seen_at"]) == {begun[4]}


def test_what_left_a_window_and_comes_back_changed_was_last_seen_before_it_left(pulling, api):
    now(api, [{"id": 1, "a": 1}])
    poller = started(pulling, api.url, full=False)
    now(api, [])
    poller.poll_now()
    poller.poll_now()
    now(api, [{"id": 1, "a": 2}])
    poller.poll_now()
    rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
    assert list(rows["last_seen_at"]) == [begun[1], begun[4]]
    assert rows["not_seen_at"].iloc[1] == begun[1]


def test_what_comes_into_a_window_need_not_be_new(pulling, api):
    now(api, [{"id": 1}, {"id": 2}])
    poller = started(pulling, api.url, full=False)
    now(api, [{"id": 2, "a": 1}, {"id": 3}])  # "the newest two", and the first was deleted
    poller.poll_now()
    rows = pulling.observations.snapshots().set_index("entity_id")
    assert pd.isna(rows.loc["3", "not_seen_at"])
    assert rows.loc["2", "not_seen_at"].iloc[1] == pulling.observations.polls()["requested_at"][1]


def test_a_failed_poll_has_seen_nothing(pulling, api):
    now(api, [{"id": 1}])
    poller = started(pulling, api.url)
    api.answer = always(raw(400))
    poller.poll_now()
    rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
    assert list(rows["last_seen_at"]) == [begun[1]]


def test_one_resource_and_its_404(pulling, api):
    api.answer = always(raw(404))
    poller = started(pulling, api.url + "orders/7")
    assert (last(pulling)["status"], last(pulling)["complete"]) == (404, True)
    assert pd.isna(last(pulling)["error"])
    assert "nothing is there" in repr(poller)
    now(api, {"id": 7, "lines": [{"sku": "a"}]})
    poller.poll_now()
    api.answer = always(raw(410))
    poller.poll_now()
    assert states(pulling) == [("7", {"id": 7, "lines": [{"sku": "a"}]}), ("7", None)]
    rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
    assert list(rows["not_seen_at"]) == [begun[1], begun[2]]


def test_a_404_before_a_list_proves_nothing(pulling, api):
    api.answer = always(raw(404))
    poller = started(pulling, api.url)
    now(api, [{"id": 7}])
    poller.poll_now()
    assert pulling.observations.snapshots()["not_seen_at"].isna().all()


def test_a_404_of_a_list_deletes_nothing(pulling, api):
    now(api, [{"id": 7}])
    poller = started(pulling, api.url)
    api.answer = always(raw(404))
    poll = poller.poll_now()
    assert (poll.complete, poll.error) == (False, "404 Not Found")
    assert len(states(pulling)) == 1


def test_a_list_that_becomes_an_error_object_deletes_nothing(pulling, api):
    now(api, [{"id": 7}])
    poller = started(pulling, api.url)
    now(api, {"error": "unauthorized"})
    assert "was a list, and now is one resource" in poller.poll_now().error
    assert len(states(pulling)) == 1


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ([{"id": 1}], {}),
        ({"data": [{"id": 1}], "total": 1}, {}),
        ({"object": "list", "items": [{"id": 1}], "tags": ["a"]}, {}),
        ({"a": [{"id": 1}], "b": [{"id": 9}]}, {"items": "a"}),
        ({"a": {"b": [{"id": 1}]}}, {"items": lambda data: data["a"]["b"]}),
        ([{"key": 1}], {"entity_id": "key"}),
        ([{"meta": {"no": 1}}], {"entity_id": lambda item: item["meta"]["no"]}),
        (["1"], {"entity_id": "@"}),
    ],
)
def test_where_the_entities_are(pulling, api, data, options):
    now(api, data)
    started(pulling, api.url, **options)
    assert [entity_id for entity_id, _ in states(pulling)] == ["1"]


def test_changed_fields_are_dotted_paths_and_types_count(pulling, api):
    now(api, {"id": 1, "a": {"b": 1, "c": {}}, "d.e": 1, "list": [1], "gone": 1, "t": 1})
    poller = started(pulling, api.url)
    now(api, {"id": 1, "a": {"b": 2, "c": {"x": 1}}, "d.e": 2, "list": [2], "new": 1, "t": True})
    poller.poll_now()
    assert pulling.observations.snapshots()["changed_fields"].iloc[1] == [
        *("a.b", "a.c", "a.c.x", "d\\.e", "gone", "list", "new", "t"),
    ]


def test_lone_surrogates_are_kept_as_text_can_be(pulling, api):
    api.answer = always(raw(200, rb'[{"id": "a\ud800", "\udfff": "\ud800"}]'))
    poller = started(pulling, api.url)
    assert poller.stats["last_error"] is None
    assert states(pulling) == [("a?", {"id": "a\ud800", "\udfff": "\ud800"})]


def test_integers_stay_exact_and_42_is_text(pulling, api):
    now(api, [{"id": 2**70, "n": 12345678901234567890123}])
    started(pulling, api.url, version="n")
    row = pulling.observations.snapshots().iloc[0]
    assert (row["entity_id"], row["version"]) == (str(2**70), "12345678901234567890123")
    assert row["state"]["n"] == 12345678901234567890123


def test_frames_are_the_users_to_change(pulling, api):
    now(api, [{"id": 1, "a": [1]}])
    started(pulling, api.url)
    frame = pulling.observations.snapshots()
    frame["state"].iloc[0]["a"].append(2)
    frame.loc[frame.index[0], "entity_id"] = "x"
    assert states(pulling) == [("1", {"id": 1, "a": [1]})]
    assert pulling.observations.snapshots(parsed=False)["state"].iloc[0] == '{"id":1,"a":[1]}'


def test_after_a_restart_it_goes_on_and_invents_no_baseline(tmp_path, api):
    now(api, [{"id": 1, "a": 1}, {"id": 2}, {"id": 3}])
    with pulling_in(tmp_path) as before:
        started(before, api.url, name="orders")
        now(api, [{"id": 1, "a": 1}, {"id": 2}])
        before.pollers["orders"].poll_now()
    now(api, [{"id": 1, "a": 2}, {"id": 2}, {"id": 3}])
    with pulling_in(tmp_path) as after:
        started(after, api.url, name="orders")
        rows, begun = after.observations.snapshots(), after.observations.polls()["requested_at"]
        assert list(rows["entity_id"]) == ["1", "2", "3", "3", "1", "3"]
        assert list(rows["not_seen_at"].iloc[3:]) == [begun[1], begun[2], begun[2]]
        assert rows["changed_fields"].iloc[4] == ["a"]


def test_another_definition_begins_anew(tmp_path, api):
    now(api, [{"id": 1, "no": 5}])
    with pulling_in(tmp_path) as pulling:
        started(pulling, api.url, name="orders")
        started(pulling, api.url, name="orders", entity_id="no")
        rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
        assert list(rows["entity_id"]) == ["1", "5"]
        assert rows["not_seen_at"].isna().all()
        assert list(rows["last_seen_at"]) == [begun[1], begun[2]]


def test_what_another_definition_proved_proves_nothing_after_a_restart(tmp_path, api):
    now(api, [{"id": 1}])
    with pulling_in(tmp_path) as pulling:
        started(pulling, api.url, name="orders")
        started(pulling, api.url, name="orders", entity_id="no")
        assert not last(pulling)["complete"]
    now(api, [{"no": 1}])
    with pulling_in(tmp_path) as pulling:
        started(pulling, api.url, name="orders", entity_id="no")
        assert pulling.observations.snapshots()["not_seen_at"].isna().all()


def test_a_partial_poll_shows_changes_but_proves_nothing(pulling, api):
    now(api, [{"id": 1, "a": 1}, {"id": 2}])
    poller = started(pulling, api.url)
    now(api, [{"id": 1, "a": 2}, {"no": "id"}])
    poll = poller.poll_now()
    assert (poll.complete, poll.changed) == (False, 1)
    assert poll.error.startswith("1 of 2 items has no id: pass entity_id=")
    now(api, [{"id": 1, "a": 3}, {"id": 2}])
    poller.poll_now()
    rows, begun = pulling.observations.snapshots(), pulling.observations.polls()["requested_at"]
    assert list(rows["not_seen_at"].iloc[2:]) == [begun[1], begun[1]]
    assert not rows["deleted"].any()
