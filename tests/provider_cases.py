"""What every provider promises. A provider's own tests are a subclass that gives its examples."""

import json
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooklab.headers import Headers
from webhooklab.providers import PROVIDERS, Provider, recognise
from webhooklab.records import Event, Interpretation, Request

HostileText = st.text(max_size=12) | st.sampled_from(["\ud800", "a\0b", "%", "%zz", "1e400"])
HostileJson = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HostileText,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HostileText, inner, max_size=4),
    max_leaves=12,
)
COLUMNS = ("event_type", "event_id", "entity_type", "entity_id", "version", "scope")


def request(headers: dict[str, str] | list[tuple[str, str]], body: object) -> Request:
    """A request with a body of bytes, or of JSON."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(received_at=0, method="POST", target="/", headers=Headers(pairs), body=raw)


def check(found: Interpretation) -> None:
    """An interpretation is one that the store can keep."""
    assert found.event_count >= 0
    for event in (found.event or Event(), *found.items):
        assert all(isinstance(getattr(event, name), str | None) for name in COLUMNS)
        assert isinstance(event.occurred_at, int | None)
        assert isinstance(event.body, bytes | None)
    assert isinstance(found.event_key, str | None)


# The same tests run for several providers, on purpose.
inherited = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors],
)


class ProviderCases:
    """Inherited by the tests of each provider."""

    provider: ClassVar[Provider]
    examples: ClassVar[list[tuple[Request, Interpretation]]]

    def test_it_is_asked(self):
        assert self.provider in PROVIDERS
        assert recognise(self.examples[0][0]) is self.provider

    def test_its_name_is_one_of_a_kind(self):
        assert [each.name for each in PROVIDERS].count(self.provider.name) == 1

    def test_it_recognises_its_own_and_says_what_they_are(self):
        for example, expected in self.examples:
            assert self.provider.recognises(example)
            assert self.provider.interpret(example) == expected

    def test_it_does_not_recognise_a_stranger(self):
        stranger = request({"Content-Type": "application/json"}, {"id": 1, "type": "x"})
        assert not self.provider.recognises(stranger)

    def test_header_names_have_no_case(self):
        for example, expected in self.examples:
            upper = [(name.upper(), value) for name, value in example.headers]
            assert self.provider.interpret(request(upper, example.body)) == expected

    @inherited
    @given(data=st.data())
    def test_nothing_from_the_wire_makes_it_raise(self, data):
        example, _ = data.draw(st.sampled_from(self.examples))
        names = st.sampled_from([name for name, _ in example.headers]) | HostileText
        headers = data.draw(st.lists(st.tuples(names, HostileText), max_size=5))
        kept = data.draw(st.lists(st.sampled_from(example.headers.pairs), max_size=5))
        body = data.draw(st.binary(max_size=30) | HostileJson)
        hostile = request([*kept, *headers], body)
        assert self.provider.recognises(hostile) in (True, False)
        check(self.provider.interpret(hostile))

    @inherited
    @given(data=st.data())
    def test_any_value_may_stand_anywhere_in_its_body(self, data):
        example, _ = data.draw(st.sampled_from(self.examples))
        body = example.data
        fields = body if isinstance(body, dict) else {}
        changed = {name: data.draw(HostileJson) for name in fields}
        hostile = [changed] if isinstance(body, list) else changed
        check(self.provider.interpret(request(example.headers.pairs, hostile)))
