"""What is on the wire is in the file: methods, targets, headers and bodies, byte for byte."""

import pytest

from tests.raw_http import Client, pairs, post, request
from tests.waiting import until

CHUNKED = ("Transfer-Encoding: chunked",)


def test_headers_keep_order_duplicates_and_spelling(lab):
    lines = ("x-b: 1", "X-GitHub-Event: push", "X-B: 2", "x-B:  spaced ", "X-Empty: ")
    post(lab.url, headers=lines)
    kept = lab[-1].headers.pairs
    assert kept[1:-1] == (
        ("x-b", "1"),
        ("X-GitHub-Event", "push"),
        ("X-B", "2"),
        ("x-B", "spaced"),
        ("X-Empty", ""),
    )
    assert lab[-1].headers.get_list("X-b") == ["1", "2", "spaced"]


def test_header_bytes_beyond_ascii_are_kept(lab):
    with Client(lab.url) as client:
        client.ask(b"POST / HTTP/1.1\r\nHost: test\r\nX-Raw: caf\xe9 \xff\x80\r\n\r\n")
    assert lab[-1].headers["x-raw"].encode("latin-1") == b"caf\xe9 \xff\x80"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%2Fb?x=1&x=2", "/a%2Fb", "x=1&x=2"),
        ("/?", "/", ""),
        ("//double//slash/../x", "//double//slash/../x", ""),
        ("/%zz?%", "/%zz", "%"),
        ("/caf\xe9", "/caf\xe9", ""),
        ("/a?b?c", "/a", "b?c"),
        ("http://example.com:80/abs?q=1", "/abs", "q=1"),
        ("*", "*", ""),
        ("example.com:443", "example.com:443", ""),
    ],
)
def test_the_target_is_not_decoded(lab, target, path, query):
    with Client(lab.url) as client:
        assert client.ask(request(target=target)).status == 200
    assert (lab[-1].path, lab[-1].query_string) == (path, query)


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PURGE", "m-SEARCH!"]
)
def test_every_method_is_captured(lab, method):
    with Client(lab.url) as client:
        assert client.ask(request(method, body=b"x")).status == 200
        assert client.ask(request("POST")).status == 200
    assert (lab[1].method, lab[1].body) == (method, b"x")


def test_head_has_an_answer_without_a_body(lab):
    with Client(lab.url) as client:
        client.send(request("HEAD"))
        assert client.answer(bodiless=True).status == 200
        assert client.ask(request("GET")).status == 200
    assert list(lab.events.method) == ["HEAD", "GET"]


def test_a_connection_is_kept_and_pipelined_requests_stay_in_order(lab):
    with Client(lab.url) as client:
        client.send(b"".join(request(target=f"/{n}", body=b"%d" % n) for n in range(20)))
        assert [client.answer().status for _ in range(20)] == [200] * 20
        assert client.ask(request(target="/20")).status == 200
    assert list(lab.events.path) == [f"/{n}" for n in range(21)]
    assert [d.body for d in lab][:20] == [b"%d" % n for n in range(20)]


def test_a_request_in_single_bytes(lab):
    with Client(lab.url) as client:
        for byte in request(headers=("X-Slow: yes",), body=b"slow"):
            client.send(bytes([byte]))
        assert client.answer().status == 200
    assert (lab[-1].headers["x-slow"], lab[-1].body) == ("yes", b"slow")


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nok", False),
        (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", True),
        (b"POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False),
        (b"\r\nPOST / HTTP/1.1\nHost: t\nContent-Length: 2\n\nok", True),
    ],
)
def test_older_and_sloppier_http(lab, head, kept):
    with Client(lab.url) as client:
        answer = client.ask(head)
        if kept:
            assert client.ask(head).status == 200
        else:
            assert client.rest() == b""
    assert answer.status == 200
    assert answer.headers.get("connection", "close" if not kept else "").lower() == (
        "keep-alive" if b"1.0" in head and kept else "" if kept else "close"
    )
    assert lab[-1].body == b"ok"


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        b"0005\r\nhello\r\n06\r\n world\r\n00\r\n\r\n",
        b'5;name="v;x"\r\nhello\r\n6 ; e\r\n world\r\n0;last\r\n\r\n',
        b"b\r\nhello world\r\n0\r\nX-Checksum: 1\r\nx-trailer: 2\r\n\r\n",
    ],
    ids=["plain", "zeros", "extensions", "trailers"],
)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_chunked_bodies(lab, body, step):
    with Client(lab.url) as client:
        client.send(request(headers=CHUNKED))
        for start in range(0, len(body), step):
            client.send(body[start : start + step])
        assert client.answer().status == 200
        assert client.ask(request(target="/next")).status == 200
    assert (lab[1].body, lab[2].path) == (b"hello world", "/next")
    assert lab[1].headers.pairs == pairs(*CHUNKED)


@pytest.mark.parametrize(
    "body", [b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5;" + b"x" * 5000, b"0x5\r\nhello\r\n0\r\n\r\n"]
)
def test_a_chunk_that_could_be_read_in_two_ways_is_refused(lab, body):
    with Client(lab.url) as client:
        client.send(request(headers=CHUNKED) + body)
        assert client.rest()[9:12] in (b"400", b"")
    assert post(lab.url).status == 200
    assert len(lab) == 1
    until(lambda: list(lab.log.status.fillna(400)) == [400])


@pytest.mark.parametrize("word", ["100-continue", "100-Continue"])
def test_a_sender_that_asks_first_is_told_to_continue(lab, word):
    with Client(lab.url) as client:
        client.send(request(headers=(f"Expect: {word}", "Content-Length: 5")))
        assert client.answer().status == 100
        assert client.ask(b"hello").status == 200
    assert lab[-1].body == b"hello"
    assert lab[-1].headers["expect"] == word


def test_a_sender_that_sends_no_more_gets_its_answer(lab):
    with Client(lab.url) as client:
        client.send(request(body=b"1") + request(body=b"2")).finish_sending()
        assert [client.answer().status for _ in range(2)] == [200, 200]
        assert client.rest() == b""
    assert [delivery.body for delivery in lab] == [b"1", b"2"]


def test_bodies_are_kept_byte_for_byte(lab):
    bodies = [
        b"",
        bytes(range(256)),
        b"\xef\xbb\xbf{}",
        b"\x1f\x8b\x08broken gzip",
        b"x" * 3_000_000,
    ]
    for body in bodies:
        post(lab.url, body, headers=("Content-Encoding: gzip",))
    assert [delivery.body for delivery in lab] == bodies
    assert list(lab.events.body_bytes) == [len(body) for body in bodies]


def test_a_sender_that_does_not_wait_is_captured(lab):
    with lab.expect() as got:
        Client(lab.url).send(request(body=b"in a hurry")).socket.close()
    assert got.events["body"].tolist() == [b"in a hurry"]
