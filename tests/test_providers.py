"""CloudEvents, Standard Webhooks, what is neither, and duplicates of them all."""

import json
import re
import threading
from typing import ClassVar

import pytest

from tests.inputs import files, needs_corpora, send
from tests.provider_cases import ProviderCases, request
from webhooklab import Lab
from webhooklab.defaults import MAX_EVENTS_PER_DELIVERY
from webhooklab.instants import parse_instant
from webhooklab.providers import interpret
from webhooklab.providers.cloudevents import CLOUDEVENTS
from webhooklab.providers.standard_webhooks import STANDARD_WEBHOOKS
from webhooklab.records import Event, Interpretation

STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
TIME = "2018-04-05T17:31:00Z"
ATTRIBUTES = {"id": "A1", "source": "/shop", "type": "com.example.sold", "time": TIME}
BINARY = {f"ce-{name}": value for name, value in ATTRIBUTES.items()} | {"ce-specversion": "1.0"}
SOLD = {
    "event_type": "com.example.sold",
    "event_id": "A1",
    "scope": "/shop",
    "occurred_at": parse_instant(TIME),
}
IN_JSON = ATTRIBUTES | {"specversion": "1.0"}


def as_bytes(value):
    return json.dumps(value, separators=(",", ":")).encode()


class TestCloudEvents(ProviderCases):
    provider = CLOUDEVENTS
    examples: ClassVar = [
        (request(BINARY, b"any bytes"), Interpretation("cloudevents", 1, Event(**SOLD))),
        (
            request(BINARY | {"ce-subject": "Euro%20%E2%82%AC"}, b""),
            Interpretation("cloudevents", 1, Event(**SOLD, entity_id="Euro €")),
        ),
        (
            request(STRUCTURED, IN_JSON | {"subject": "blob", "data": {"id": 1}}),
            Interpretation("cloudevents", 1, Event(**SOLD, entity_id="blob")),
        ),
        (
            request(BATCH, [IN_JSON, {"id": 7}]),
            Interpretation(
                *("cloudevents", 2, None),
                (Event(**SOLD, body=as_bytes(IN_JSON)), Event(event_id="7", body=b'{"id":7}')),
            ),
        ),
        (
            request(BATCH, [IN_JSON]),
            Interpretation(
                *("cloudevents", 1, Event(**SOLD, body=as_bytes(IN_JSON))),
                (Event(**SOLD, body=as_bytes(IN_JSON)),),
            ),
        ),
        (request(BATCH, []), Interpretation("cloudevents", 0)),
        (request(BATCH, b"[broken"), Interpretation("cloudevents", 1, Event())),
        (request(STRUCTURED, [1]), Interpretation("cloudevents", 1, Event())),
    ]

    def test_of_a_repeated_header_the_first_counts(self):
        twice = request([*BINARY.items(), ("CE-ID", "other")], b"")
        assert interpret(twice).event.event_id == "A1"

    def test_a_batch_of_very_many_is_counted_and_cut(self):
        found = interpret(request(BATCH, [{"id": n} for n in range(MAX_EVENTS_PER_DELIVERY + 1)]))
        assert found.event_count == MAX_EVENTS_PER_DELIVERY + 1
        assert len(found.items) == MAX_EVENTS_PER_DELIVERY

    def test_an_event_of_a_batch_keeps_numbers_exact(self):
        body = b'[{"id":12345678901234567890123},{"id":"\\ud800"}]'
        items = interpret(request(BATCH, body)).items
        assert [item.event_id for item in items] == ["12345678901234567890123", "\ud800"]
        assert json.loads(items[0].body) == {"id": 12345678901234567890123}

    @needs_corpora
    def test_the_examples_of_its_specification(self):
        seen = 0
        for name, text in files("payloads/cloudevents").items():
            for block in re.findall(
                r"^\{.*?^\}|^\[.*?^\]", text.decode(), re.MULTILINE | re.DOTALL
            ):
                try:
                    value = json.loads(block)
                except ValueError:
                    continue  # the specification's examples have ellipses
                found = interpret(request(BATCH if isinstance(value, list) else STRUCTURED, value))
                events = value if isinstance(value, list) else [value]
                items = found.items or (found.event,)
                for event, item in zip(events, items, strict=True):
                    assert (item.event_id, item.event_type) == (event.get("id"), event.get("type"))
                    assert item.scope == event.get("source"), name
                    seen += 1
        assert seen >= 5


class TestStandardWebhooks(ProviderCases):
    provider = STANDARD_WEBHOOKS
    signed: ClassVar = {"webhook-id": "msg_1", "webhook-timestamp": "1674087231"}
    examples: ClassVar = [
        (
            request(
                signed, {"type": "shop.order.paid", "timestamp": TIME, "data": {"id": 12, "x": 1}}
            ),
            Interpretation(
                "standardwebhooks",
                1,
                Event(
                    event_type="shop.order.paid",
                    event_id="msg_1",
                    entity_type="shop.order",
                    entity_id="12",
                    occurred_at=parse_instant(TIME),
                ),
            ),
        ),
        (
            request(signed, {"type": "ping", "data": []}),
            Interpretation("standardwebhooks", 1, Event(event_type="ping", event_id="msg_1")),
        ),
        (
            request(signed, b"<xml/>"),
            Interpretation("standardwebhooks", 1, Event(event_id="msg_1")),
        ),
    ]


def test_a_stranger_is_unknown_and_nothing_is_invented(lab):
    send(lab.url, [("application/json", b'{"id":"evt_1","type":"a"}')] * 2)
    row = lab.events.loc[1]
    unknown = ("provider", "event_type", "event_id", "entity_id", "occurred_at", "duplicate_of")
    assert row[list(unknown)].isna().all()
    assert row["event_count"] == 1
    assert lab.events["duplicate_of"].isna().all()


def event(source, identity, media="application/cloudevents+json"):
    return (media, json.dumps(IN_JSON | {"source": source, "id": identity}).encode())


def test_an_event_that_comes_again_is_a_duplicate_of_its_first_delivery(file):
    with Lab(file) as lab:
        send(lab.url, [event("/a", "1"), event("/b", "1"), event("/a", "1"), event("/a", "2")])
        assert lab.events["duplicate_of"].tolist()[2] == 1
        assert lab.events["duplicate_of"].isna().tolist() == [True, True, False, True]
    with Lab(file) as lab:
        send(lab.url, [event("/b", "1"), event("/a", "1")])
        assert lab.events["duplicate_of"].tolist()[4:] == [2, 1]
        send(lab.url, [(None, b"{}")] * 2, webhook_id="1", webhook_timestamp="1")
        assert lab.events["duplicate_of"].isna().tolist()[6:] == [True, False]
        assert lab.events.loc[8, "duplicate_of"] == 7


def test_no_choice_of_ids_makes_two_events_one(lab):
    send(
        lab.url, [event("a\nb", "c"), event("a", "b\nc"), event('a","b', "c"), event("a", 'b","c')]
    )
    assert lab.events["duplicate_of"].isna().all()


@pytest.mark.parametrize("count", [2, 40])
def test_duplicates_within_one_commit(lab, count):
    threads = [
        threading.Thread(target=send, args=(lab.url, [event("/a", "same")])) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lab.events["duplicate_of"].isna().tolist() == [True] + [False] * (count - 1)
    assert set(lab.events["duplicate_of"].dropna()) == {1}


def test_a_batch_in_the_frames(lab):
    send(lab.url, [(BATCH["Content-Type"], as_bytes([IN_JSON, IN_JSON | {"id": "A2"}]))])
    send(lab.url, [(BATCH["Content-Type"], as_bytes([IN_JSON]))])
    send(lab.url, [(BATCH["Content-Type"], b"[]")])
    assert lab.events["event_count"].tolist() == [2, 1, 0]
    assert lab.events["event_id"].isna().tolist() == [True, False, True]
    assert lab.unbatched["event_id"].to_dict() == {(1, 0): "A1", (1, 1): "A2", (2, 0): "A1"}
    assert lab.unbatched["body"].tolist()[2] == as_bytes(IN_JSON)
    assert lab.unbatched["provider"].eq("cloudevents").all()


class TestBatchesThatComeAgain:
    """The same events are the same delivery, whatever else its bytes say."""

    def marks(self, lab):
        found = lab.events["duplicate_of"].astype(object)
        return found.where(found.notna(), None).tolist()

    def test_of_events_with_ids(self, file):
        items = [
            {"eventId": n, "portalId": 1, "subscriptionId": 2, "subscriptionType": "deal.creation"}
            for n in (1, 2)
        ]
        retried = [each | {"attemptNumber": 1} for each in items]
        other = [items[0], items[1] | {"portalId": 3}]
        sent = [("application/json", as_bytes(each)) for each in (items, retried, other, items[:1])]
        with Lab(file) as lab:
            send(lab.url, sent, X_HubSpot_Signature="x")
            assert lab.events["event_count"].tolist() == [2, 2, 2, 1]
            assert self.marks(lab) == [None, 1, None, None]
        with Lab(file) as lab:
            send(lab.url, sent[2:3], X_HubSpot_Signature="x")
            assert self.marks(lab)[4] == 3

    def test_of_events_without_ids_that_say_when_they_were(self, lab):
        def batch(*times):
            statuses = [{"id": "w", "status": "read", "timestamp": at} for at in times]
            changes = [{"field": "messages", "value": {"statuses": statuses}}]
            entry = {"object": "x", "entry": [{"id": "1", "changes": changes}]}
            return ("application/json", as_bytes(entry))

        known, other, untimed = batch("1", "2"), batch("1", "3"), batch("1", None)
        send(lab.url, [known, other, known, untimed, untimed])
        assert lab.events["provider"].tolist() == ["meta"] * 5
        assert self.marks(lab) == [None, None, 1, None, None]


class TestEventsWithoutAnId:
    """Equal bytes are the same event where they say when it was, or of which version."""

    TIMED = b'{"order": 7, "status": "paid", "at": "2026-01-01T00:00:00Z"}'

    def test_are_known_by_their_content_also_by_the_next_lab(self, file):
        with Lab(file) as lab:
            lab.map(path="/timed", entity_id="order", occurred_at="at")
            lab.map(path="/plain", entity_id="order")
            other = self.TIMED.replace(b"paid", b"open")
            send(lab.url, [(None, self.TIMED), (None, other)], "/timed")
            send(lab.url, [(None, self.TIMED)] * 2, "/plain")
        with Lab(file) as lab:
            send(lab.url, [(None, self.TIMED), (None, other)], "/timed")
            found = lab.events["duplicate_of"].astype(object)
            assert found.where(found.notna(), None).tolist() == [None] * 4 + [1, 2]
            lab.map(path="/plain", entity_id="order", version="at")
            again = lab.events["duplicate_of"].astype(object)
            assert again.where(again.notna(), None).tolist() == [None, None, None, 3, 1, 2]

    def test_of_a_provider_that_gives_none(self, lab):
        body = json.dumps(
            {"RecordType": "Delivery", "MessageID": "m", "DeliveredAt": "2026-01-01T00:00:00Z"}
        )
        for text in (body, body.replace("00Z", "01Z"), body):
            send(lab.url, [("application/json", text.encode())], User_Agent="Postmark")
        assert lab.events["provider"].tolist() == ["postmark"] * 3
        assert lab.events["event_id"].isna().all()
        assert lab.events["duplicate_of"].fillna(0).tolist() == [0, 0, 1]
