"""`lab.schema` and `lab.drift`: what bodies look like, how often, since when they changed."""

import json

import jsonschema
import matplotlib as mpl
import pytest
from matplotlib.image import imsave

from tests.inputs import ODD, needs_corpora, send
from tests.provider_corpora import requests

mpl.use("agg")
JSON = "application/json"


@pytest.fixture
def typed(lab):
    """A Lab that reads the type of events in `type`."""
    lab.map(event_type="type")
    return lab


def feed(lab, bodies):
    send(lab.url, [(JSON, json.dumps({"type": "t"} | body).encode()) for body in bodies])


def test_how_often_each_field_is_there(typed):
    feed(typed, [{"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}, {"list": [{"x": 1}, {}]}])
    made = typed.schema("t")
    fields = made.fields
    assert made.count == 4
    assert fields.loc["a.b"].to_dict() == {
        "types": "integer | null",
        "present": 2,
        "of": 3,
        "share": 2 / 3,
        "seq": 1,
    }
    assert fields.loc["list[].x", "share"] == 1.0
    assert fields.loc["type", "present"] == 4
    assert made["required"] == made.json_schema["required"] == ["type"]
    assert json.loads(str(made)) == json.loads(json.dumps(made)) == made.json_schema
    assert "4 bodies" in repr(made)


def test_a_dot_in_a_key_is_no_level(typed):
    feed(typed, [{"a.b": {"c": 1}, "$": 1, "x[]": {"y": 2}, "e\\": {"f": 1}}] * 2)
    fields = typed.schema("t").fields
    assert set(fields.index) >= {r"a\.b", r"a\.b.c", r"\$", r"x[\]", r"x[\].y", r"e\\", r"e\\.f"}
    assert fields["share"].eq(1.0).all()


@needs_corpora
def test_real_payloads_fit_the_schema_that_was_made_of_them(lab):
    for provider, request in requests().values():
        if provider == "github":
            headers = {k.replace("-", "_"): v for k, v in request.headers if k != "Content-Type"}
            send(lab.url, [(JSON, request.body)], **headers)
    types = lab.events["event_type"].value_counts()
    assert len(types) > 20
    for event_type in types.index[:8]:
        made = lab.schema(event_type)
        assert made.count == types[event_type]
        for body in lab.find(f"type:{event_type}", columns=["event_type", "body"]).itertuples():
            if body.event_type == event_type:
                jsonschema.validate(json.loads(body.body), made)
        drifted = lab.drift(event_type)
        assert set(drifted["change"]) <= {"appeared", "vanished", "type"}


def test_no_body_breaks_it(typed):
    typed.map(event_type="'t'")
    send(typed.url, ODD.values())
    send(typed.url, [(JSON, b'{"n":' + b"9" * 30 + b"}"), (JSON, b'{"n":1.5}')])
    made = typed.schema("t")
    assert made.left_out
    assert made.fields.loc["n", "types"] == "integer | number"
    json.dumps(made.json_schema)
    assert typed.drift("t") is not None
    assert typed.schema("none").count == 0
    assert typed.drift("none").empty


def test_what_appears_vanishes_and_changes_its_type(typed):
    feed(typed, [{"old": 1, "price": 1, "o": {"x": 1}}] * 5)
    feed(typed, [{"new": "a", "price": "1.00", "o": {}}] * 4)
    found = typed.drift("t").set_index(["field", "change"])
    assert set(found.index) == {
        ("old", "vanished"),
        ("new", "appeared"),
        ("price", "type"),
        ("o.x", "vanished"),
    }
    assert set(found["seq"]) == {6}
    assert set(found["since"]) == {typed.events["received_at"][6]}
    assert found.loc[("price", "type"), ["before", "after"]].tolist() == ["integer", "string"]
    assert found.loc[("new", "appeared"), "deliveries_before"] == 5
    assert found.loc[("old", "vanished"), "deliveries_since"] == 4


def test_what_comes_and_goes_anyway_has_not_drifted(typed):
    feed(typed, [{"maybe": 1} if n % 3 else {"null": None if n % 2 else 1} for n in range(12)])
    assert typed.drift("t").empty
    feed(typed, [{}] * 12)
    assert ("maybe", "vanished") in typed.drift("t")[["field", "change"]].itertuples(index=False)


def test_a_picture_of_presence(typed, tmp_path):
    feed(typed, [{"$old_$": 1}] * 5)
    feed(typed, [{"new": 1}] * 5)
    found = typed.drift("t")
    axes = found.plot()
    assert len(axes.get_yticklabels()) == 2
    axes.figure.canvas.draw()
    imsave(tmp_path / "presence.png", axes.figure.canvas.buffer_rgba())
    assert "data:image/png" in found._repr_html_()
    presence = found.presence
    assert presence["new"].iloc[0] == 0.0
    assert presence[r"new"].iloc[-1] == 1.0
