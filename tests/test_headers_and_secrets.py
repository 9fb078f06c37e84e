"""Headers as they came, and what counts as a credential wherever text leaves."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inputs import send
from webhooklab.headers import Headers, parse_header_block
from webhooklab.redaction import is_secret_header, is_secret_parameter, mask_pairs, mask_query

PAIRS = [("Host", "x"), ("X-B", "1"), ("x-b", "2"), ("Authorization", "s3cret"), ("X-É", "é\xff")]
latin = st.text(alphabet=st.characters(max_codepoint=255), max_size=8)


def test_headers_are_looked_up_without_case_and_kept_as_they_came():
    headers = Headers(PAIRS)
    assert headers.pairs == tuple(PAIRS)
    assert list(headers) == PAIRS
    assert len(headers) == 5
    assert headers.get("x-B") == headers["X-b"] == "1"
    assert headers.get_list("X-B") == ["1", "2"]
    assert headers.get("missing") is None
    assert headers.get("missing", "other") == "other"
    assert headers.get_list("missing") == []
    assert "HOST" in headers
    assert "missing" not in headers
    assert 1 not in headers
    with pytest.raises(KeyError):
        headers["missing"]
    assert headers == Headers(PAIRS)
    assert hash(headers) == hash(Headers(PAIRS))
    assert headers != Headers(PAIRS[1:])


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.tuples(latin, latin)))
def test_headers_survive_their_column(pairs):
    assert Headers.from_json(Headers(pairs).to_json()) == Headers(pairs)


@pytest.mark.parametrize(
    "value", ["plain", 'a "b" \\', "caf\xe9", "\u2713", "\ud800", "\x7f\t\x01"]
)
def test_the_column_is_written_one_way_whatever_is_in_it(value):
    """In ASCII, as files have it that were written before."""
    written = json.dumps([["X-A", value]], separators=(",", ":"))
    assert Headers([("X-A", value)]).to_json() == written


def test_a_header_block_is_kept_as_it_was_sent():
    block = b"POST /a?b=%20 HTTP/1.1\r\nX-b:  two \r\nX-B:\r\nN\xe9: caf\xe9:x\r\n\r\n"
    assert parse_header_block(block) == (("X-b", "two"), ("X-B", ""), ("Né", "café:x"))


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Gitlab-Token"),
        *("X-Api-Key", "api-key", "My-Token", "token", "X-Amz-Security-Token", "Ocp-Api-Key"),
    ],
)
def test_these_headers_are_credentials(name):
    assert is_secret_header(name)
    assert list(mask_pairs([(name, "s3cret")])) == [(name, "***")]


@pytest.mark.parametrize("name", ["X-Token-Count", "Cookies", "Key", "X-Keyboard", "Host", ""])
def test_these_are_not(name):
    assert not is_secret_header(name)


@pytest.mark.parametrize(
    "name",
    [
        *("key", "TOKEN", "secret", "api_key", "apikey", "api-key", "access_token", "auth[token]"),
        *("client.secret", "clientSecret", "accessToken", "token[]", "t%6Fken", "%6bey", "+token"),
    ],
)
def test_these_parameters_are_credentials(name):
    masked = mask_query(f"a=1&{name}=s3cret=x&b=%20")
    assert masked == f"a=1&{name}=***&b=%20"


@pytest.mark.parametrize("name", ["monkey", "keyboard", "tokens_left", "secretary", "a", ""])
def test_other_parameters_are_kept_byte_for_byte(name):
    assert not is_secret_parameter(name)
    query = f"{name}=%zz+x;y&&=&{name}&token"
    assert mask_query(query) == query


def test_a_credential_behind_a_semicolon_is_one():
    assert mask_query("a=1;token=s3cret;b=2&c=3") == "a=1;token=***&c=3"


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(alphabet="ab=&;%20tokensecret[]", max_size=40))
def test_masking_a_query_twice_changes_nothing_more(query):
    masked = mask_query(query)
    assert mask_query(masked) == masked
    assert len(masked.split("&")) == len(query.split("&"))


def test_no_credential_in_what_is_shown(lab):
    secrets = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Cookie": "a=s3cret"}
    send(lab.url, [("application/json", b'{"n":1}')], "/p?token=s3cret&api_key=s3cret", **secrets)
    delivery = lab[-1]
    base = lab.url
    shown = [
        *(repr(delivery), str(delivery), repr(delivery.headers), f"{delivery.headers}"),
        *(delivery.curl(), delivery.python(), delivery.curl(base), repr(lab)),
    ]
    assert not [text for text in shown if "s3cret" in text]
    assert delivery.curl(secrets=True).count("s3cret") == 5
    assert delivery.python(secrets=True).count("s3cret") == 5
    assert json.loads(delivery.headers_json) == [list(pair) for pair in delivery.headers.pairs]
    assert delivery.headers["authorization"] == "Bearer s3cret"
