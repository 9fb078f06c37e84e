"""`lab.map`: what no provider explains, the user does; kept in the file, applied to all rows."""

import json
import math
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pytest

from tests.inputs import FORM, MULTIPART, part, send
from webhooklab import Lab
from webhooklab.errors import MappingError
from webhooklab.headers import Headers
from webhooklab.mapping import Interpreter, Mapping
from webhooklab.records import Delivery, Message, Request

ORDER = {"kind": "paid", "order": {"id": 7, "lines": [1, 2]}, "at": 1_772_000_000, "v": 1.5}


def post(lab, value, path="/", content_type="application/json"):
    send(lab.url, [(content_type, value if isinstance(value, bytes) else as_bytes(value))], path)


def as_bytes(value):
    return json.dumps(value).encode()


def derived(value, **expressions):
    """The event that a mapping makes of a body."""
    headers = Headers([("Content-Type", "application/json")])
    request = Request(
        received_at=0, method="POST", target="/", headers=headers, body=as_bytes(value)
    )
    return Interpreter({"/": Mapping(**expressions)}).interpret(request).event


def test_it_applies_to_what_is_captured_and_to_what_comes(lab):
    post(lab, ORDER)
    lab.map(event_type="kind", entity_id="order.id", occurred_at="at", version="v")
    post(lab, ORDER)
    events = lab.events
    assert events["event_type"].tolist() == ["paid", "paid"]
    assert events["entity_id"].tolist() == ["7", "7"]
    assert events["version"].tolist() == ["1.5", "1.5"]
    assert events["occurred_at"].eq(pd.Timestamp(1_772_000_000, unit="s", tz="UTC")).all()
    assert lab[1].event_type == "paid"


def test_it_is_kept_in_the_file_and_may_be_called_again(file):
    with Lab(file) as lab:
        post(lab, ORDER)
        lab.map(event_type="kind", event_id="order.id")
    with Lab(file) as lab:
        post(lab, ORDER)
        assert lab.events["event_type"].tolist() == ["paid", "paid"]
        assert lab.events["duplicate_of"].tolist()[1] == 1
        lab.map(entity_id="order.id")
        assert lab.events["event_type"].isna().all()
        assert lab.events["duplicate_of"].isna().all()
        lab.map(event_id="kind")
        assert lab.events["duplicate_of"].tolist()[1] == 1
        lab.map()
        assert lab.events[["event_type", "event_id", "entity_id"]].isna().all(axis=None)


def test_the_longest_path_counts_and_each_path_has_one_mapping(lab):
    for path in ("/", "/orders", "/orders/eu", "/orders/", "/ordersx", "/else"):
        post(lab, {"a": "all", "b": "orders", "c": "eu"}, path)
    lab.map(event_type="a")
    lab.map(path="/orders", event_type="b")
    lab.map(path="orders/eu/", event_type="c")
    assert lab.events["event_type"].tolist() == ["all", "orders", "eu", "orders", "all", "all"]
    lab.map(path="orders", event_type="c")
    assert lab.events["event_type"].tolist() == ["all", "eu", "eu", "eu", "all", "all"]


def test_a_function_gets_the_delivery(lab):
    post(lab, ORDER, "/hooks")
    seen = []

    def look(delivery):
        seen.append(delivery)
        assert delivery.path == "/hooks"
        assert delivery.method == "POST"
        assert delivery.headers["content-TYPE"] == "application/json"
        assert delivery.json() == ORDER
        assert delivery["order"]["lines"] == [1, 2]
        assert json.loads(delivery.text) == ORDER
        assert delivery.body == as_bytes(ORDER)
        return delivery["order"]["id"]

    lab.map(entity_id=look, occurred_at=lambda _: datetime(2026, 3, 1))  # noqa: DTZ001
    assert lab.events["entity_id"].tolist() == ["7"]
    assert lab[1].occurred_at == datetime(2026, 3, 1, tzinfo=UTC)
    post(lab, ORDER, "/hooks")
    assert lab.events["entity_id"].tolist() == ["7", "7"]
    assert seen


def test_a_delivery_and_a_request_are_read_alike(lab):
    post(lab, b"a=1&b=%C3%A9", content_type=FORM)
    post(lab, part("a", b"1") + b"--B--\r\n", content_type=MULTIPART)
    post(lab, {"a": "1"})
    with pytest.warns(RuntimeWarning, match="event_type raised"):
        lab.map(entity_id="a", event_type=lambda delivery: delivery.form["a"])
    assert lab.events["entity_id"].tolist() == ["1", "1", "1"]
    assert lab.events["event_type"].isna().tolist() == [False, False, True]
    assert lab[1].form == {"a": "1", "b": "é"}
    assert lab[3]["a"] == "1"
    assert issubclass(Delivery, Message)
    assert issubclass(Request, Message)


def test_a_function_that_raises_says_nothing_and_stops_nothing(lab):
    post(lab, {})
    with pytest.warns(RuntimeWarning, match=r"for entity_id raised KeyError\('nothing'\)"):
        lab.map(entity_id=lambda delivery: delivery["nothing"], event_type="kind")
    assert lab.events["entity_id"].isna().all()
    send(lab.url, [("application/json", as_bytes(ORDER))] * 2)  # though warnings are errors here
    assert lab.events["event_type"].tolist()[1:] == ["paid", "paid"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[("x", "x"), ("", ""), (7, "7"), (2**70, str(2**70)), (1.5, "1.5"), (1.0, "1.0")],
        *[(True, "true"), (False, "false"), (None, None), ([1], None), ({"a": 1}, None)],
        *[({}, None), ([], None)],
    ],
)
def test_ids_are_text_and_what_is_no_scalar_is_absent(value, text):
    assert derived({"id": value}, entity_id="id").entity_id == text
    assert derived({"id": value}, entity_id=lambda delivery: delivery["id"]).entity_id == text


@pytest.mark.parametrize("value", [math.nan, b"bytes", pd.NA, pd.NaT, object(), print])
def test_a_function_may_return_anything(value):
    assert derived({}, entity_id=lambda _: value, occurred_at=lambda _: value).entity_id is None


def test_numbers_of_other_libraries_are_numbers():
    assert derived({}, version=lambda _: Decimal("1.50")).version == "1.50"
    assert derived({}, version=lambda _: pd.Series([3]).iloc[0]).version == "3"


@pytest.mark.parametrize("expression", ["a[", "", "a..b", "foo(", "'"])
def test_what_is_not_jmespath_is_an_error_and_changes_nothing(lab, expression):
    post(lab, ORDER)
    lab.map(event_type="kind")
    with pytest.raises(MappingError, match="is not JMESPath"):
        lab.map(event_type=expression)
    assert lab.events["event_type"].tolist() == ["paid"]


@pytest.mark.parametrize("expression", [5, ["id"], b"id"])
def test_what_is_neither_text_nor_a_function_is_an_error_at_once(lab, expression):
    for ask in (lab.map, lab.compare):
        with pytest.raises(MappingError, match="neither text nor a function: pass JMESPath"):
            ask(entity_id=expression)


@pytest.mark.parametrize("expression", ["sum(kind)", "nothing.at.all", "order.lines[9]", "kind[0]"])
def test_jmespath_that_does_not_fit_a_body_finds_nothing(expression):
    assert derived(ORDER, entity_id=expression).entity_id is None


def test_a_mapping_does_not_touch_a_batch_but_does_a_batch_of_one(lab):
    batch = "application/cloudevents-batch+json"
    one = {"id": "1", "source": "s", "type": "t"}
    post(lab, [one, one], content_type=batch)
    post(lab, [one], content_type=batch)
    lab.map(event_type="[0].source")
    assert lab.events["event_type"].isna().tolist() == [True, False]
    assert lab.unbatched["event_type"].tolist() == ["t", "t", "s"]
