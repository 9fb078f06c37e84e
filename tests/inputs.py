"""Bodies that real providers sent, and bodies that nobody should send."""

import gzip
import http.client
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
needs_corpora = pytest.mark.skipif(
    not CORPORA.is_dir(),
    reason="the corpora of real inputs stand beside the repository, and are not there",
)


def files(folder: str) -> dict[str, bytes]:
    """Name to content, of all files below a folder; compressed ones also as what is in them."""
    found = {}
    for path in sorted((CORPORA / folder).rglob("*")):
        if path.is_file():
            name = str(path.relative_to(CORPORA))
            found[name] = path.read_bytes()
            if path.suffix == ".gz":
                found[name.removesuffix(".gz")] = gzip.decompress(path.read_bytes())
    return found


def naughty_strings() -> list[str]:
    return json.loads((CORPORA / "hostile/strings/blns.json").read_text())


def formulas() -> list[str]:
    lines = (CORPORA / "hostile/strings/csv-injection.txt").read_text().splitlines()
    return [
        *lines,
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20a",
        "'quoted",
        "\t=1",
        "\r=1",
        "\n=1",
        "-1",
        "+1",
    ]


def send(
    url: str, messages: Iterable[tuple[str | None, bytes]], path: str = "/", **headers: str
) -> None:
    """POST bodies, each with its Content-Type, one after the other on one connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    for content_type, body in messages:
        typed = {"Content-Type": content_type} if content_type else {}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, typed | more)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


UTF16 = "application/json; charset=utf-16"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


ODD: dict[str, tuple[str | None, bytes]] = {
    "empty": (None, b""),
    "empty json": ("application/json", b""),
    "nul": ("application/json", b"\0"),
    "all bytes": ("application/octet-stream", bytes(range(256))),
    "crlf": ("text/plain", b"a\r\nb\rc\nd"),
    "bom": ("application/json", b"\xef\xbb\xbf{}"),
    "bom with a key, no type": (None, b'\xef\xbb\xbf{"bom": 1}'),
    "utf-16": (UTF16, json.dumps({"wide": "é"}).encode("utf-16")),
    "utf-16 unnamed": ("application/json", json.dumps({"wide": "é"}).encode("utf-16-be")),
    "latin-1 unnamed": ("application/json", '{"name": "café"}'.encode("latin-1")),
    "latin-1": ("application/json; charset=latin-1", '{"name": "café"}'.encode("latin-1")),
    "charset zlib": ("application/json; charset=zlib", b'{"id": 1}'),
    "charset idna": ("application/json; charset=idna", b'{"id": 1}'),
    "charset undefined": ("application/json; charset=undefined", b'{"id": 1}'),
    "charset escape": ("text/plain; charset=unicode_escape", b"\\d \\ud800"),
    "bigint": (None, b'{"id":12345678901234567890123,"other":704912205188288575}'),
    "5000 digits": (None, b'{"id":' + b"9" * 5000 + b"}"),
    "nan": (None, b'{"v":NaN}'),
    "infinity": (None, b'{"v":-Infinity}'),
    "duplicate keys": (None, b'{"id":1,"id":2}'),
    "lone surrogate": (None, b'{"s":"\\ud800","\\udc00":1}'),
    "nul in text": (None, b'{"s":"a\\u0000b"}'),
    "deep lists": (None, b"[" * 100_000 + b"]" * 100_000),
    "deep enough to read": (None, b'{"deep":' + b"[" * 900 + b"]" * 900 + b"}"),
    "deep objects": (None, b'{"a":' * 900 + b"1" + b"}" * 900),
    "many keys": (None, json.dumps({f"k{n}": 0 for n in range(100_000)}).encode()),
    "nested gzip": ("application/json", gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0)),
    "half a gzip": ("application/json", gzip.compress(b"{}" * 100, mtime=0)[:20]),
    "list": (None, b'[{"id": 1}, 2, "x"]'),
    "scalar": ("application/json", b'"only text"'),
    "null": ("application/json", b"null"),
    "form": (FORM, b"a=1&a=2&b=%E9%20x&empty="),
    "payload form": (FORM, b"payload=%7B%22action%22%3A%22opened%22%7D"),
    "form of nothing": (FORM, b"&&&"),
    "too many fields": (FORM, b"a&" * 20_000),
    "multipart": (
        MULTIPART,
        part("title", b"x\r\ny") + part("file", b"\0\1", '; filename="../../x.csv"') + b"--B--\r\n",
    ),
    "broken multipart": (MULTIPART, part("title", b"x")),
    "multipart without boundary": ("multipart/form-data", b"--B"),
    "looks like a formula": ("text/plain", b"=cmd|' /C calc'!A0"),
    "looks like base64": ("text/plain", b"bm90IGJhc2U2NA=="),
}
"""Name to Content-Type and body."""
