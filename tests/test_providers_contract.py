"""What every provider promises, held for each that there is: by its samples, or an example."""

import time
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.provider_cases import HostileJson, HostileText, check, request
from tests.provider_examples import EXAMPLES
from webhooklab import samples, verify
from webhooklab.headers import Headers
from webhooklab.providers import PROVIDERS, Provider, find, interpret, names, recognise
from webhooklab.providers.marks import Mark
from webhooklab.providers.registry import Registry
from webhooklab.records import Event, Request

NOW_US = 1_767_225_600_000_000
URL = "https://lab.example.com/hooks"
CALLED = [(name, kind) for name, kinds in samples.event_types().items() for kind in kinds]
ANYTHING = st.sampled_from(
    [None, True, 0, -1, 1e400, "", "x", "9" * 400, "\ud800", [], {}, [[]], [{}], {"id": {}}, 10**40]
)
named = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda each: each.name)
hostile = settings(max_examples=200, deadline=None, database=None)


def sample(name: str, event_type: str | None = None, *, identity: str = "1") -> samples.Sample:
    pair = samples.secrets_of(name)
    secret = pair.signing if pair else None
    return samples.build(name, event_type, now_us=NOW_US, identity=identity, secret=secret, url=URL)


def as_request(built: samples.Sample) -> Request:
    headers = Headers(built.headers)
    target = built.url.removeprefix("https://lab.example.com")
    return Request(
        received_at=NOW_US, method=built.method, target=target, headers=headers, body=built.body
    )


def example(provider: Provider) -> Request:
    if provider.name in EXAMPLES:
        return EXAMPLES[provider.name][0]
    return as_request(sample(provider.name))


def only_event(request: Request) -> Event:
    found = interpret(request)
    return found.event or found.items[0]


@named
def test_it_is_recognised_and_says_what_its_event_is(provider):
    assert recognise(example(provider)) is provider
    assert provider.recognises(example(provider))
    event = only_event(example(provider))
    assert event.event_type or provider.name == "dropbox"
    assert event.entity_id


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_its_type_and_entity(name):
    received, *expected = EXAMPLES[name]
    event = only_event(received)
    assert [event.event_type, event.entity_type, event.entity_id] == expected


@pytest.mark.parametrize(("name", "event_type"), CALLED)
def test_a_sample_is_what_it_is_called_about_an_entity_and_verifies(name, event_type):
    built = sample(name, event_type)
    event = only_event(as_request(built))
    assert interpret(as_request(built)).provider == name
    assert event.event_type == event_type
    assert event.entity_id
    assert event.entity_type or name == "cloudevents"
    pair = samples.secrets_of(name)
    found = verify(
        name,
        headers=built.headers,
        body=built.body,
        secret=pair.verifying if pair else None,
        url=built.url,
        now=NOW_US / 1e6,
    )
    assert found.status == ("valid" if pair else "unsigned"), found


NO_TIME = {
    *("microsoft_graph message.created", "twilio message.delivered", "twilio call.completed"),
    *("discord APPLICATION_COMMAND", "slack slash_command"),
}
"""Events that do not say when they happened."""


@pytest.mark.parametrize(("name", "event_type"), CALLED)
def test_a_sample_happened_when_it_was_made_or_does_not_say(name, event_type):
    found = only_event(as_request(sample(name, event_type))).occurred_at
    if f"{name} {event_type}" in NO_TIME:
        assert found is None
    else:
        assert abs(found - NOW_US) < 10**6


def test_samples_of_another_event_have_other_ids_and_the_same_of_the_same():
    for name in samples.event_types():
        first, again, other = (
            only_event(as_request(sample(name, identity=each))) for each in ("1", "1", "2")
        )
        assert first.event_id == again.event_id
        if first.event_id is not None:
            assert first.event_id != other.event_id, name


def test_there_are_samples_of_many():
    assert len(samples.event_types()) >= 25
    with pytest.raises(ValueError, match=r"samples of payment_intent\.succeeded"):
        samples.build("stripe", "nothing", now_us=0, identity="")
    with pytest.raises(ValueError, match="no sample of gogs"):
        samples.build("gogs", now_us=0, identity="")


@named
def test_its_name_is_its_own_and_is_found_in_any_spelling(provider):
    assert names().count(provider.name) == 1
    for spelt in (provider.name, provider.name.upper(), provider.name.replace("_", "-")):
        assert find(spelt) is provider
    assert provider.source.startswith("https://")


@named
def test_header_names_have_no_case(provider):
    received = example(provider)
    upper = [(name.upper(), value) for name, value in received.headers]
    assert interpret(request(upper, received.body)) == interpret(
        request(received.headers.pairs, received.body)
    )


@named
def test_it_is_signed_or_says_why_not(provider):
    assert bool(provider.schemes) != bool(provider.unsigned)


@named
def test_a_handshake_is_not_seen_in_an_event(provider):
    if provider.handshake is not None:
        assert provider.handshake(example(provider), "secret") is None


@named
def test_its_retries_are_counted_from_nought_or_not_at_all(provider):
    assert provider.retries.number_of(example(provider)) in (0, None)


@hostile
@given(provider=st.sampled_from(PROVIDERS), data=st.data())
def test_nothing_from_the_wire_makes_it_raise(provider, data):
    known = example(provider)
    header_names = st.sampled_from(["x", *(name for name, _ in known.headers)]) | HostileText
    pairs = data.draw(st.lists(st.tuples(header_names, HostileText), max_size=4))
    kept = data.draw(st.lists(st.sampled_from([("a", "b"), *known.headers.pairs]), max_size=5))
    body = data.draw(st.binary(max_size=30) | HostileJson)
    _survives(provider, request([*kept, *pairs], body))


@hostile
@given(provider=st.sampled_from(PROVIDERS), data=st.data())
def test_any_value_may_stand_anywhere_in_its_body(provider, data):
    known = example(provider)
    changed = data.draw(changes_of(known.data))
    _survives(provider, request(known.headers.pairs, changed))


def _survives(provider: Provider, received: Request) -> None:
    assert provider.recognises(received) in (True, False)
    check(provider.interpret(received))
    check(interpret(received))
    provider.retries.number_of(received)
    if provider.handshake is not None:
        provider.handshake(received, "secret")


@st.composite
def changes_of(draw, value):
    """The value with anything in place of some of its parts."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    if isinstance(value, dict):
        return {key: draw(changes_of(each)) for key, each in value.items()}
    if isinstance(value, list):
        return [draw(changes_of(each)) for each in value]
    return value


def test_what_a_request_costs_does_not_grow_with_the_number_of_providers():
    """Counted in providers asked, not in seconds: the index leads to those that it may be."""
    unknown = request({"Content-Type": "application/json", "X-Own": "1"}, {"order": 1})
    known = request({"X-GitHub-Event": "push"}, {"order": 1})
    assert _asked(unknown) == []
    assert _asked(known) == ["github"]


def _asked(received: Request) -> list[str]:
    """Whose marks are looked at, one after the other, for a request."""
    asked = []

    class Watched(Mark):
        def matches(self, request: Request) -> bool:
            asked.append(vars(self)["of"])
            return super().matches(request)

    watched = []
    for provider in PROVIDERS:
        marks = tuple(
            Watched(**{f.name: getattr(m, f.name) for f in fields(m)}) for m in provider.marks
        )
        for mark in marks:
            vars(mark)["of"] = provider.name
        watched.append(replace(provider, marks=marks))
    Registry(watched).recognise(received)
    return asked


def test_the_body_of_an_unknown_sender_is_not_read_whatever_it_begins_with():
    for key in ("id", "type", "event", "events", "object", "email", "token"):
        unknown = request({"Content-Type": "application/json"}, {key: "x", "rest": "y" * 500})
        assert recognise(unknown) is None
        assert "data" not in vars(unknown), key


def test_a_long_body_is_not_searched():
    unknown = request({}, b'[{"event":"' + b"x" * 2**21 + b'","MessageID":1,"mj_campaign_id":1}]')
    started = time.perf_counter()
    assert recognise(unknown) is None
    assert "data" not in vars(unknown)
    assert time.perf_counter() - started < 1
