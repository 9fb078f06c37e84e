"""Requests that broke other servers: no crash, no hang, and the next request is served."""

import pytest

from tests.conftest import CORPORA
from tests.raw_http import Client, post, request
from tests.waiting import until

FILES = sorted(CORPORA.glob("hostile/http-*/**/*.http")) or [CORPORA]


@pytest.mark.parametrize("raw", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
@pytest.mark.usefixtures("corpora")
def test_hostile_requests(lab, raw):
    hostile = raw.read_bytes()
    with Client(lab.url) as client:
        answers = client.send(hostile).finish_sending().rest()
    assert set(statuses(answers)) <= {b"100", b"200", b"400"}, answers
    assert answers.count(b"HTTP/1.1 200 OK") == len(lab), "acknowledged is captured"
    assert post(lab.url, b"next").status == 200
    assert lab[-1].body == b"next"
    until(lambda: not lab._parts.server._listener._connections)
    assert lab.listening


@pytest.mark.parametrize("raw", FILES[::7], ids=lambda file: f"{file.parent.name}-{file.stem}")
@pytest.mark.usefixtures("corpora")
def test_hostile_requests_in_single_bytes(lab, raw):
    with Client(lab.url) as client:
        try:
            for byte in raw.read_bytes():
                client.send(bytes([byte]))
            client.finish_sending()
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass  # it was refused before it was complete
        client.rest()
    assert post(lab.url, b"next").status == 200


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\r\n\r\n",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A" * 70_000,
        b"GET /" + b"a" * 70_000,
        request(headers=("Content-Length: 1", "Transfer-Encoding: chunked")),
        request(headers=("Content-Length: 1", "Content-Length: 2")),
        request(headers=("Transfer-Encoding: gzip, chunked",)),
        request(headers=("Transfer-Encoding: chunked",)) + b"f" * 64,
        request(headers=("X-Fold: a", " b")),
        request(headers=("X-Nul: \x00",)),
        request(headers=("Content-Length: -1",)),
        request(headers=(f"Content-Length: {'9' * 5000}",)),
    ],
    ids=lambda hostile: repr(hostile[:40]),
)
def test_what_is_not_http(lab, hostile):
    with Client(lab.url) as client:
        answers = client.send(hostile).finish_sending().rest()
    assert set(statuses(answers)) <= {b"400", b"413"}
    assert post(lab.url, b"next").status == 200
    assert len(lab) == 1


def statuses(answers):
    return [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
