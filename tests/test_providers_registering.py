"""Providers of one's own."""

import pytest

from tests.inputs import send
from tests.provider_cases import request
from webhooklab import providers, signatures, verify
from webhooklab.errors import ProviderError
from webhooklab.providers import Fields, Mark, Provider, registering
from webhooklab.providers.registry import Registry
from webhooklab.verification import sign


@pytest.fixture(autouse=True)
def _forget():
    """What a test registers is gone with it."""
    before = registering._registry
    yield
    registering._registry = before


def test_in_a_few_lines(lab):
    providers.register(
        "acme",
        header="X-Acme-Event",
        event_type="header:x-acme-event",
        event_id="id",
        entity_type="=parcel",
        entity_id="parcel.number",
        occurred_at="at",
    )
    body = b'{"id":"e1","parcel":{"number":77},"at":"2026-01-01T00:00:00Z"}'
    send(lab.url, [("application/json", body)] * 2, X_Acme_Event="parcel.lost")
    row = lab.events.loc[2]
    assert row["provider"] == "acme"
    assert row["event_type"] == "parcel.lost"
    assert (row["entity_type"], row["entity_id"]) == ("parcel", "77")
    assert row["duplicate_of"] == 1
    assert str(row["occurred_at"]) == "2026-01-01 00:00:00+00:00"


def test_a_batch_with_a_signature_and_a_handshake():
    scheme = signatures.table.over_body("x-acme-signature", encoding="base64")
    acme = providers.register(
        "acme", header="x-acme-signature", items="parcels", entity_id="number", schemes=(scheme,)
    )
    received = request({"X-Acme-Signature": "x"}, {"parcels": [{"number": 1}, {"number": 2}]})
    assert [each.entity_id for each in providers.interpret(received).items] == ["1", "2"]
    made = sign("acme", body=b"{}", secret="k", now=0)
    assert verify("ACME", headers=made.headers, body=b"{}", secret="k").status == "valid"
    assert acme.handshake is None


def test_ones_own_is_asked_before_the_others_and_may_take_their_place():
    mine = providers.register("mine", header="x-github-event", event_type="=mine")
    received = request({"X-GitHub-Event": "push"}, {})
    assert providers.recognise(received) is mine
    again = providers.register("Mine", header="x-mine")
    assert mine not in providers.registered()
    assert providers.recognise(received).name == "github"
    github = Provider(
        name="github",
        title="GitHub",
        source="",
        marks=(Mark(header="x-github-event", says=(("action", ("opened",)),)),),
        reads=Fields(event_type="=ours"),
    )
    with pytest.raises(
        ProviderError, match=r"'github' is GitHub, .*: choose another name, or say re"
    ):
        providers.register(github)
    assert providers.recognise(received).name == "github"
    assert providers.register(github, replace=True) is github
    assert providers.find("github") is github
    assert providers.recognise(received) is None
    assert again in providers.registered()


@pytest.mark.parametrize("replace", [True, False])
def test_a_name_that_stands_for_another_provider_is_taken(replace):
    with pytest.raises(ProviderError, match=r"'Whats-App' is Meta.*: choose another name\."):
        providers.register("Whats-App", header="x-mine", replace=replace)


@pytest.mark.parametrize(("name", "more"), [("acme", {}), ("", {"header": "x-a"}), ("-", {})])
def test_a_provider_that_nothing_leads_to_is_refused(name, more):
    before = providers.registered()
    with pytest.raises(ProviderError, match=f"Nothing would lead to '{name}': it needs a name"):
        providers.register(name, **more)
    assert providers.registered() == before


def test_a_mark_has_one_lead():
    for leads in ({}, {"header": "a", "agent": "b"}, {"has": ("a",)}):
        with pytest.raises(ProviderError, match="a mark has one lead"):
            Mark(**leads)


def test_places():
    received = request({"X": "head"}, {"a": {"b.c": [{"d": 5}]}, "empty": "", "no": False})
    places = {
        "header:x": "head",
        r"a.b\.c.0.d": "5",
        "=fixed": "fixed",
        "a.b": None,
        "a.b\\.c.7.d": None,
        "no": None,
        "empty": "",
        ("empty", "header:x"): "head",
        ("none", "gone"): None,
    }
    for place, expected in places.items():
        assert Fields(event_type=place).events(received)[0].event_type == expected, place
    of_function = Fields(event_type=lambda headers, body: headers["x"] + body["empty"])
    assert of_function.events(received)[0].event_type == "head"


def test_a_list_that_is_not_there_is_one_event():
    fields = Fields(items="list", event_type="kind")
    assert [each.event_type for each in fields.events(request({}, {"kind": "x"}))] == ["x"]
    assert fields.events(request({}, {"list": []})) == []


def test_leads_of_all_sorts():
    def named(name, **mark):
        return Provider(name=name, title=name, source="", marks=(Mark(**mark),), reads=Fields())

    registry = Registry(
        [
            named("media", media="application/vnd.x+json"),
            named("agent", agent="acmebot"),
            named("keys", keys=("[first", "first"), has=("first", "second")),
            named("header", header="x-a", also=("x-b",)),
        ]
    )

    def who(headers, body=b""):
        found = registry.recognise(request(headers, body))
        return found and found.name

    assert who({"Content-Type": "Application/VND.x+json; charset=utf-8"}) == "media"
    assert who({"User-Agent": "AcmeBot/2.0 (x)"}) == "agent"
    assert who({"User-Agent": "Acme"}) is None
    assert who({}, b' [ { "first" : 1, "second": 2}]') == "keys"
    assert who({}, b'{"first": 1, "second": 2}') == "keys"
    assert who({}, b'{"first": 1, "third": "second"}') is None
    assert who({"X-A": "1", "X-B": "2"}) == "header"
    assert who({"X-A": "1"}) is None
