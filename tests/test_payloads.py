"""Bodies as columns: each odd one has its outcome, and none changes what others say."""

import json

import pandas as pd
import pytest

from tests.inputs import FORM, ODD, files, needs_corpora, send
from webhooklab.defaults import MAX_PAYLOAD_COLUMNS
from webhooklab.payloads import PayloadColumns

GOOD = [
    b'{"id":1,"at":"2026-03-01T00:00:00Z","paid":true,"total":1.5,"of":{"type":"order"}}',
    b'{"id":9223372036854775807,"at":null,"paid":false,"total":2,"of":{"type":"item"}}',
]
KINDS = {"id": "Int64", "at": "str", "paid": "boolean", "total": "Float64", "of.type": "str"}


def flat(*bodies, content_type=None, at_once=True):
    """The payloads of some bodies, read together or one after the other."""
    columns = PayloadColumns()
    rows = list(enumerate(bodies, 1))
    for chunk in [rows] if at_once else [[row] for row in rows]:
        seqs, some = map(list, zip(*chunk, strict=True))
        columns.append({"seq": seqs, "content_type": [content_type] * len(some), "body": some})
    return columns.frame()


def test_fields_become_columns_of_the_narrowest_kind():
    frame = flat(*GOOD)
    assert frame.dtypes.astype(str).to_dict() == KINDS
    assert frame["id"].tolist() == [1, 2**63 - 1]
    assert frame["at"].isna().tolist() == [False, True]
    assert frame.index.tolist() == [1, 2]
    assert frame.index.name == "seq"


@pytest.mark.parametrize("name", ODD)
def test_an_odd_body_changes_nothing_of_others(name):
    content_type, body = ODD[name]
    columns = PayloadColumns()
    some = [GOOD[0], body, GOOD[1]]
    columns.append({"seq": [1, 2, 3], "content_type": [None, content_type, None], "body": some})
    frame = columns.frame()
    assert frame.loc[[1, 3], "id"].tolist() == [1, 2**63 - 1]
    others = frame[list(KINDS)].drop(columns="id")  # some odd ones have an odd id
    assert others.loc[2].isna().all()
    good = flat(*GOOD).drop(columns="id").set_axis(pd.Index([1, 3], name="seq"))
    pd.testing.assert_frame_equal(others.loc[[1, 3]], good)


def of(name):
    """What a body says: its columns that are not NA."""
    content_type, body = ODD[name]
    frame = flat(body, content_type=content_type)
    row = frame.iloc[0]
    return {column: row[column] for column in frame.columns if row[column] is not pd.NA}


def test_the_outcome_of_each_odd_body():
    unread = (
        *("empty", "empty json", "nul", "all bytes", "crlf", "nan", "infinity", "deep lists"),
        *("nested gzip", "half a gzip", "latin-1 unnamed", "too many fields", "broken multipart"),
        *("multipart without boundary", "looks like a formula", "form of nothing", "bom", "null"),
    )
    assert {name: of(name) for name in unread} == {name: {} for name in unread}
    assert of("bom with a key, no type") == {"bom": 1}
    assert of("utf-16") == of("utf-16 unnamed") == {"wide": "é"}
    assert of("latin-1") == {"name": "café"}
    assert of("charset zlib") == of("charset idna") == of("charset undefined") == {"id": 1}
    assert of("bigint") == {"id": 12345678901234567890123, "other": 704912205188288575}
    assert str(of("5000 digits")["id"]) == "9" * 5000
    assert of("duplicate keys") == {"id": 2}
    assert of("lone surrogate") == {"s": "\ud800", "\\udc00": 1}
    assert of("nul in text") == {"s": "a\0b"}
    assert of("list") == {"$": [{"id": 1}, 2, "x"]}
    assert of("scalar") == {"$": "only text"}
    assert of("form") == {"a": ["1", "2"], "b": "\ufffd x", "empty": ""}
    assert of("payload form") == {"payload": '{"action":"opened"}'}
    assert of("multipart") == {
        "title": "x\r\ny",
        "file.filename": "../../x.csv",
        "file.content_type": "application/octet-stream",
        "file.bytes": 2,
    }
    assert set(of("many keys")) == {"$"}
    assert len(of("deep objects")) == len(of("deep enough to read")) == 1


def test_a_form_is_decoded_in_its_charset():
    frame = flat(b"a=%E9&b=\xe9", content_type=FORM + "; charset=latin-1")
    assert frame.iloc[0].tolist() == ["é", "é"]


def test_paths_are_told_apart():
    frame = flat(b'{"a.b":1,"a":{"b":2,"":3},"a\\\\":{"b":4},"$":5,"":6,"e":{},"n":null}')
    names = ["a\\.b", "a.b", "a.", "a\\\\.b", "\\$", "", "e"]
    assert frame.iloc[0].dropna().to_dict() == dict(zip(names, [1, 2, 3, 4, 5, 6, {}], strict=True))
    assert "n" in frame.columns


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2.5], "Float64"),
        ([2**53, 2.5, None], "Float64"),
        ([2**53 + 1, 2.5], "object"),
        ([1, 2**63], "object"),
        ([1, 2.5, 2**60], "object"),
        ([1, 2.5, "x"], "object"),
        ([1, True], "object"),
        (["1", 1], "object"),
        (["x", {}], "object"),
        ([[1], [2]], "object"),
        ([[1, 2], [3, 4]], "object"),
        ([{}, {}], "object"),
        ([None, None], "object"),
        ([None, "x"], "str"),
        (["x", "\ud800"], "object"),
        ([False, None], "boolean"),
        ([-(2**63) + 1, 2**63 - 1], "Int64"),
        (["2026-03-01T00:00:00Z", "2026-03-01"], "str"),
    ],
)
def test_mixtures_are_held_exactly(values, dtype, at_once):
    frame = flat(*(json.dumps({"v": value}).encode() for value in values), at_once=at_once)
    assert str(frame["v"].dtype) == dtype
    got = [
        value if said else None for value, said in zip(frame["v"], frame["v"].notna(), strict=True)
    ]
    assert got == values
    if dtype == "object":
        assert list(map(type, got)) == list(map(type, values))


def test_a_field_may_be_a_value_here_and_an_object_there():
    frame = flat(b'{"a":1}', b'{"a":{"b":2}}', b'{"a":{}}')
    assert frame["a"].tolist()[::2] == [1, {}]
    assert frame["a.b"].tolist()[1] == 2


def test_lists_handed_out_are_copies():
    columns = PayloadColumns()
    body = b'{"l":[1,[2],{"a":[3]}],"e":{},"deep":' + b"[" * 900 + b"]" * 900 + b"}"
    columns.append({"seq": [1], "content_type": [None], "body": [body]})
    for _ in range(3):
        frame = columns.frame()
        assert frame["l"].iloc[0] == [1, [2], {"a": [3]}]
        assert frame["e"].iloc[0] == {}
        frame["l"].iloc[0][2]["a"].append(4)
        frame["l"].iloc[0].clear()
        frame["e"].iloc[0]["x"] = 1
        frame["deep"].iloc[0][0].clear()
        assert columns.frame()["deep"].iloc[0][0]


def test_lists_of_very_long_integers_are_copies_too():
    columns = PayloadColumns()
    body = b'{"l":[{"n":' + b"9" * 5_000 + b"}]}"
    columns.append({"seq": [1], "content_type": [None], "body": [body]})
    columns.frame()["l"].iloc[0][0].clear()
    assert len(str(columns.frame()["l"].iloc[0][0]["n"])) == 5_000


def test_a_flood_of_keys_leaves_room_for_others():
    wide = [json.dumps({f"k{n}_{i}": 0 for i in range(100_000)}).encode() for n in range(3)]
    frame = flat(*wide, GOOD[0], GOOD[1])
    assert set(frame.columns) == {"$", *KINDS}


def test_fields_beyond_the_limit_are_kept_whole_beside_those_that_are_known():
    flood = [
        json.dumps({"known": n} | {f"k{n}_{i}": 0 for i in range(1_900)}).encode()
        for n in range(MAX_PAYLOAD_COLUMNS // 1_900 + 3)
    ]
    frame = flat(*flood)
    assert len(frame.columns) <= MAX_PAYLOAD_COLUMNS + 1
    assert frame["known"].tolist() == list(range(len(flood)))
    assert frame["$"].iloc[-1] == json.loads(flood[-1])
    assert frame["$"].iloc[0] is pd.NA


def test_the_emptiest_columns_go_when_the_frame_would_not_fit(monkeypatch):
    monkeypatch.setattr("webhooklab.payloads.MAX_PAYLOAD_CELLS", 20)
    bodies = [json.dumps({"all": n, f"only{n}": n}).encode() for n in range(10)]
    with pytest.warns(RuntimeWarning, match="9 emptiest are left out"):
        frame = flat(*bodies)
    assert list(frame.columns) == ["all", "only0"]
    assert frame["all"].tolist() == list(range(10))


@needs_corpora
def test_what_is_json_is_read_as_json_loads_reads_it_and_all_else_is_not():
    for name, body in files("hostile/json/test_parsing").items():
        verdict = name.rpartition("/")[2][0]
        frame = flat(body, content_type="application/json")
        said = [value for value in frame.iloc[0] if value is not pd.NA]
        if verdict == "n":
            assert said == [], name
        elif verdict == "y":
            value = json.loads(body)
            flattened = value if type(value) is dict else {"$": value}
            assert len(said) == len(flattened), name
            if type(value) is not dict:
                assert said == [value], name


@needs_corpora
def test_real_payloads_have_the_values_that_json_normalize_finds():
    some = [body for name, body in files("payloads").items() if name.endswith(".json")]
    some = [body for body in some if type(json.loads(body)) is dict]
    frame = flat(*some)
    theirs = pd.json_normalize([json.loads(body) for body in some])
    for path in theirs.columns:
        found = theirs[path].map(lambda cell: cell is not None and cell == cell)  # noqa: PLR0124
        if found.any():  # what is only ever null, or an object elsewhere, has no column
            assert frame[path][found.to_numpy()].tolist() == theirs[path][found].tolist(), path


def test_payloads_of_a_type_has_only_its_columns(lab):
    lab.map(event_type="type")
    bodies = [b'{"type":"a","x":1}', b'{"type":"b","y":1}', b"[]", b'{"type":"a","x":2}']
    send(lab.url, [("application/json", body) for body in bodies])
    assert list(lab.payloads.columns) == ["type", "x", "y", "$"]
    assert list(lab.payloads_of("a").columns) == ["type", "x"]
    assert lab.payloads_of("a").index.tolist() == [1, 4]
    assert lab.payloads_of("none").empty
    assert lab.payloads_of("none").index.name == "seq"
