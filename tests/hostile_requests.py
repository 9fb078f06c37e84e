"""Requests that broke other servers, and what may come back for them."""

import pytest

from tests.conftest import CORPORA
from tests.raw_http import request

FILES = sorted(CORPORA.glob("hostile/http-*/**/*.http")) or [CORPORA]

each_file = pytest.mark.parametrize(
    "raw", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}"
)
"""Gives a test `raw`, the path of a file with one or more requests of another project's tests."""


def aimed(hostile: bytes, path: str) -> bytes:
    """The same bytes with another target in their first line."""
    method, _, rest = hostile.partition(b" ")
    return method + b" " + path.encode() + b" " + rest.partition(b" ")[2]


def statuses(answers: bytes) -> list[bytes]:
    """Those of all answers that came on one connection."""
    return [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def not_http(target: str = "/") -> list[bytes]:
    """What is no request, or one whose end nobody can tell."""
    return [
        b"",
        b"\r\n\r\n",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A" * 70_000,
        f"GET {target}".encode() + b"a" * 70_000,
        request(target=target, headers=("X-Fold: a", " b")),
        request(target=target, headers=("X-Nul: \x00",)),
        request(target=target, headers=("Transfer-Encoding: chunked",)) + b"f" * 64,
        request(target=target, headers=(f"Content-Length: {'9' * 5000}",)),
    ]


# Smuggling (RFC 9112, section 11.2): a request that two servers would end in two places hides
# another one. It is refused, and so is the hidden one: the connection ends.

_BOTH = ("Content-Length: 4", "Transfer-Encoding: chunked")
_LENGTHS = ("+1", "-1", "0x1", "1_0", "1 1", "1,2", "1;", "", "\u00b9", "1\x0b", "1.0", "1e0")
_CODINGS = (
    *("xchunked", "identity", "gzip, chunked", "chunked, identity", "chunked, chunked"),
    *('"chunked"', "chunked;q=1", "\x0bchunked", "chunked\x00", "chun\rked", "CHUNKED,"),
)
_CHUNK_LINES = (
    *("0x1\r\n", "+1\r\n", "-1\r\n", "1_0\r\n", " 1\r\n", "1 1\r\n", "\r\n", "g\r\n", "1\n"),
    *("1\r", "1;a\nb\r\n", "\u00b9\r\n", "1\x00\r\n"),
)


def smuggling(target: str, hidden: str) -> dict[str, bytes]:
    """Name to request, after each of which a request to `hidden` follows."""
    chunked = ("Transfer-Encoding: chunked",)
    whole = "1\r\nx\r\n0\r\n\r\n"
    shapes = {
        "length and chunks": (_BOTH, whole),
        "chunks and length": (_BOTH[::-1], whole),
        "two lengths": (("Content-Length: 0", "Content-Length: 1"), "x"),
        "two codings": ((*chunked, "Transfer-Encoding: identity"), whole),
        "a name and a space": (("Transfer-Encoding : chunked",), whole),
        "a name after a space": ((" Transfer-Encoding: chunked",), whole),
        "a folded coding": (("Transfer-Encoding:", " chunked"), whole),
        "a bare CR": (("X: a\rTransfer-Encoding: chunked",), whole),
        "a chunk without its end": (chunked, "1\r\nxyz0\r\n\r\n"),
        **{f"length {each!r}": ((f"Content-Length: {each}",), "x") for each in _LENGTHS},
        **{f"coding {each!r}": ((f"Transfer-Encoding: {each}",), whole) for each in _CODINGS},
        **{f"chunk {each!r}": (chunked, f"{each}x\r\n0\r\n\r\n") for each in _CHUNK_LINES},
    }
    after = request("GET", hidden)
    made = {
        name: request(target=target, headers=headers) + body.encode("latin-1") + after
        for name, (headers, body) in shapes.items()
    }
    old = request(target=target, headers=(*chunked, "Connection: keep-alive"))
    made["chunks in HTTP/1.0"] = old.replace(b"/1.1", b"/1.0", 1) + whole.encode() + after
    return made
