"""Ids come from anybody: in a URL they are one path segment, or they are refused."""

from urllib.parse import unquote

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webhooklab.errors import MappingError, PullArgumentError
from webhooklab.pulling.answers import Failure
from webhooklab.pulling.templates import Template

ORDERS = Template("https://api.example.com/v1/orders/{data.id}")
HOSTILE = [
    *("../admin", "..", ".", "%2e%2e", "..%2f", "..%252fadmin", "http://evil/", "//evil", "a/b"),
    *("a\\b", "a\nb", "a\r\nHost: evil", "\0", "%00", "%0d%0aX: y", "", "x" * 10_240, "%2F"),
    *(None, True, False, [], ["a"], {}, {"id": 1}, "\ud800", "\x7f", "\x85", "\u2028"),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:24])
def test_a_hostile_id_gives_no_url(value):
    with pytest.raises(Failure, match="not fetched"):
        ORDERS.url_for({"data": {"id": value}})


@pytest.mark.parametrize("body", [None, {}, [], "text", {"data": None}, {"data": [1]}, 7])
def test_a_body_without_the_id_gives_no_url(body):
    with pytest.raises(Failure, match=r"nothing at 'data\.id'"):
        ORDERS.url_for(body)


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("ord_1", "ord_1"),
        (42, "42"),
        (2**70, str(2**70)),
        ("a b", "a%20b"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a@b:8080", "a%40b%3A8080"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("100%", "100%25"),
        ("é~_-.x", "%C3%A9~_-.x"),
        ("...", "..."),
        ("*", "%2A"),
    ],
)
def test_an_id_is_one_segment(value, segment):
    assert str(ORDERS.url_for({"data": {"id": value}})) == (
        f"https://api.example.com/v1/orders/{segment}"
    )


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("./\\%2eEfF5cC0123 \n"), st.integers(), st.floats()))
@example("%25252e%25252e")
def test_whatever_the_id_the_request_stays_where_the_template_says(value):
    try:
        url = ORDERS.url_for({"data": {"id": value}})
    except Failure:
        return
    sent = httpx.Request("GET", url)
    assert (sent.url.scheme, sent.url.host, sent.url.port) == ("https", "api.example.com", None)
    assert not sent.url.userinfo
    assert not sent.url.query
    assert not sent.url.fragment
    segments = sent.url.raw_path.decode("ascii").split("/")
    assert segments[:-1] == ["", "v1", "orders"]
    assert unquote(segments[-1]) == str(value)
    text = segments[-1]
    for _ in range(5):
        text = unquote(text)
        assert text not in ("", ".", "..")
        assert "/" not in text
        assert "\\" not in text


def test_placeholders_in_the_query_several_and_parts_of_segments():
    template = Template("http://h/{a}/x-{b.c}.json?id={b.c}&fixed=1")
    assert str(template.url_for({"a": 1, "b": {"c": "x&y=z"}})) == (
        "http://h/1/x-x%26y%3Dz.json?id=x%26y%3Dz&fixed=1"
    )
    assert template.state_path == "b"


def test_dots_beside_a_literal_are_no_way_out():
    template = Template("http://h/a/.{id}/b")
    with pytest.raises(Failure, match="lead out"):
        template.url_for({"id": "%2e"})
    dotted = Template("http://h/a/{id}{id2}/b")
    with pytest.raises(Failure):
        dotted.url_for({"id": ".", "id2": "."})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("http://h/{data.object.id}", "data.object"),
        ("http://h/{id}", "@"),
        ("http://h/{data[0].id}", None),
        ("http://h/{a.b}/{issue.number}", "issue"),
    ],
)
def test_where_the_entity_is_in_the_body(text, path):
    assert Template(text).state_path == path


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("https://{host}/x", PullArgumentError),
        ("{url}", PullArgumentError),
        ("https://api{x}/orders", PullArgumentError),
        ("https://api.example.com{id}", PullArgumentError),
        ("https://api.example.com/orders", PullArgumentError),
        ("https://h/{a", PullArgumentError),
        ("https://h/{a}#{b}", PullArgumentError),
        ("ftp://h/{a}", PullArgumentError),
        ("/orders/{a}", PullArgumentError),
        ("https://h/{a[}", MappingError),
        ("https://h/{}", MappingError),
    ],
)
def test_a_template_that_is_none(text, error):
    with pytest.raises(error):
        Template(text)


def test_the_template_is_shown_without_secrets():
    template = Template("https://u:s3cret@h/{items[?a=='b'].id | [0]}?api_key=s3cret&a={x}")
    assert template.shown == "https://***@h/{items[?a=='b'].id | [0]}?api_key=***&a={x}"
