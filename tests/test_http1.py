"""Header blocks that we read ourselves: what comes out is what Tornado makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPInputError

from tests.hostile_requests import each_file
from tests.inputs import needs_corpora
from webhooklab.headers import parse_header_block
from webhooklab.wire.blocks import read_plain
from webhooklab.wire.http1 import _tornados

NAMES = st.text("aZ0-_.~!:; \t\x00\x7f\xe9", max_size=8)
VALUES = st.text('aZ09 ,;:"\t\x00\x0b\x7f\x85\xa0\xe9\r\n', max_size=12)
ENDS = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"])
FIELDS = st.lists(
    st.tuples(NAMES, st.sampled_from([":", ": ", ":\t ", ""]), VALUES, ENDS), max_size=6
)
PLAIN = b"POST /a?b=%20 HTTP/1.1\r\nHost: t\r\nX-b:  two\t\r\nX-B:\r\nx-b: caf\xe9:x\r\n\r\n"


def tornado_reads(block: bytes):
    """The first line and the fields, or None where Tornado refuses the block."""
    try:
        line, headers = HTTP1Connection._parse_headers(None, block)
    except HTTPInputError:
        return None
    return line, list(headers.get_all())


def agrees(block: bytes) -> bool:
    """Whether it was read here; if so, then as Tornado does."""
    read = read_plain(block)
    if read is None:
        return False
    assert tornado_reads(block) == (read.start_line, list(_tornados(read.pairs).get_all()))
    assert read.pairs == parse_header_block(block)
    return True


def test_an_ordinary_block_is_read_here():
    assert agrees(PLAIN)
    assert read_plain(PLAIN).pairs[1:] == (("X-b", "two"), ("X-B", ""), ("x-b", "café:x"))


@pytest.mark.parametrize(
    "odd",
    [
        PLAIN.replace(b"\r\n", b"\n"),
        b"\r\n" + PLAIN,
        b"\r\na:\r\n\r\n",
        PLAIN.replace(b"Host: t", b"Host: t\r\n folded"),
        PLAIN.replace(b"Host: t", b"Host : t"),
        PLAIN.replace(b"Host: t", b": t"),
        PLAIN.replace(b"Host: t", b"Host"),
        PLAIN.replace(b"two", b"t\0o"),
        PLAIN.replace(b"two", b"t\ro"),
        PLAIN.replace(b"two", b"t\no"),
        PLAIN.replace(b"Host", b"H" * 65),
        PLAIN[:-2],
    ],
)
def test_all_that_is_odd_is_left_to_tornado(odd):
    assert read_plain(odd) is None


@given(st.sampled_from(["GET / HTTP/1.1", "GET /", "", " ", "\xe9"]), ENDS, FIELDS, ENDS)
def test_whatever_is_read_here_is_read_as_tornado_does(line, end, fields, last):
    lines = "".join(name + colon + value + end for name, colon, value, end in fields)
    agrees((line + end + lines + last).encode("latin-1"))


@needs_corpora
@each_file
def test_hostile_requests_are_read_as_tornado_does(raw):
    agrees(raw.read_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
