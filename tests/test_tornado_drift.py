"""`webhooklab.wire` relies on how Tornado reads and writes. A new Tornado fails here first."""

import threading

import pytest
import tornado.iostream

from tests.raw_http import Client, request
from tests.waiting import until
from webhooklab.wire.http1 import Http1
from webhooklab.wire.rawstream import READ_AHEAD_BYTES, RawStream

UNCOMMON = ("Connection: keep-alive",)
"""A request with it is Tornado's."""


def test_the_header_block_is_given_to_parse_headers(lab, monkeypatch):
    calls = []

    def spy(self, data):
        calls.append(data)
        return original(self, data)

    original = Http1._parse_headers
    monkeypatch.setattr(Http1, "_parse_headers", spy)
    asked = request(headers=("x-B: 1", "X-b: 2"))  # a name that comes twice is uncommon
    with Client(lab.url) as client:
        client.ask(asked)
    assert calls == [asked]
    assert lab[-1].headers.pairs[1:] == (("x-B", "1"), ("X-b", "2"))


def test_a_chunk_is_read_by_read_until_and_its_end_by_read_bytes(lab, monkeypatch):
    calls = []
    monkeypatch.setattr(RawStream, "read_until", _noted("read_until", calls))
    monkeypatch.setattr(RawStream, "read_bytes", _noted("read_bytes", calls))
    with Client(lab.url) as client:
        client.ask(request(headers=("Transfer-Encoding: chunked",)) + b"1\r\nx\r\n0\r\n\r\n")
    assert calls == [
        ("read_until", b"\r\n"),
        ("read_bytes", 1),
        ("read_bytes", 2),
        ("read_until", b"\r\n"),
        ("read_bytes", 2),
    ]


def test_what_comes_before_its_turn_waits_in_the_socket(lab):
    go_on = threading.Event()
    lab.respond(lambda _: go_on.wait(30) and None)
    with Client(lab.url) as client:
        client.send(request(headers=UNCOMMON))
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            client.socket.sendall(bytes(32 * 2**20))  # more than the system holds for a connection
        (connection,) = lab._parts.server._listener._connections
        assert connection._way._stream._read_buffer_size <= 2 * READ_AHEAD_BYTES
        go_on.set()


def test_malformed_requests_are_answered_with_these_bytes(lab):
    with Client(lab.url) as client:
        assert client.send(b"GET /\r\n\r\n").rest() == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    until(lambda: list(lab.log.status) == [400])
    assert issubclass(RawStream, tornado.iostream.IOStream)


def _noted(name, calls):
    original = getattr(RawStream, name)

    def spy(self, what, *args, **kwargs):
        calls.append((name, what))
        return original(self, what, *args, **kwargs)

    return spy
