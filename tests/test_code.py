"""The code that sends a delivery again is run, and what arrives is what had come."""

import shutil
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from webhooklab.code import Sendable, curl

SET_BY_CLIENTS = {"host", "content-length", "connection", "transfer-encoding"}
needs_shell = pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="bash and curl are not installed"
)
needs_sh = pytest.mark.skipif(
    not (shutil.which("sh") and shutil.which("curl")), reason="sh and curl are not installed"
)
HEADERS = [
    b"User-Agent: shop/1",
    b"Content-Type: application/json",
    b"X-Twice: one",
    b"x-twice: two",
    b"X-Empty:",
    b"X-Latin: caf\xe9 \xff",
    b'X-Quotes: it\'s "quoted" \\ $HOME `id` !x %s',
    b"X-At: @/etc/hostname",
    b"Authorization: Bearer s3cret",
]
BODIES = {
    "json": b'{"a": "it\'s $HOME `id` \\n"}',
    "at": b"@/etc/hostname",
    "lines": b"a\nb\tc\n\n",
    "crlf": b"a\r\nb\r\n",
    "utf-8": "Zürich 李小龍 😀".encode(),
    "all bytes": bytes(range(256)) * 3,
    "percent": b"100% %s %d \\n \\x41",
    "dash": b"-n -e --data",
    "long": b"x" * 300_000 + b"'\n",
    "long and binary": bytes(range(256)) * 2_000,
    "empty": b"",
}


def send_raw(lab, method: bytes, target: bytes, headers: list[bytes], body: bytes) -> None:
    url = urlsplit(lab.url)
    length = [b"Content-Length: %d" % len(body)] if body or method != b"GET" else []
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: there", *headers, *length, b"", b""]
    with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
        connection.sendall(b"\r\n".join(lines) + body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def run_curl(lab, shell="bash"):
    command = lab[-1].curl(secrets=True)
    subprocess.run([shell], input=command, text=True, check=True, capture_output=True, timeout=60)


def run_in_sh(lab):
    """In what a system has as `sh`: dash on Debian, which knows little more than POSIX asks for."""
    run_curl(lab, "sh")


def run_python(lab):
    code = lab[-1].python(secrets=True)
    command = [sys.executable, "-W", "error", "-"]
    subprocess.run(command, input=code, text=True, check=True, capture_output=True, timeout=60)


def check_same(sent, again):
    assert (again.method, again.path, again.query_string) == (
        *(sent.method, sent.path, sent.query_string),
    )
    assert again.body == sent.body
    first, second = (
        [pair for pair in each.headers if pair[0].lower() not in SET_BY_CLIENTS]
        for each in (sent, again)
    )
    assert second == first


CURLS = [pytest.param(run_curl, marks=needs_shell), pytest.param(run_in_sh, marks=needs_sh)]
runners = pytest.mark.parametrize("run", [*CURLS, run_python])


@runners
@pytest.mark.parametrize("name", BODIES)
def test_a_body_arrives_again(lab, run, name):
    send_raw(lab, b"POST", b"/hooks", HEADERS, BODIES[name])
    run(lab)
    assert len(lab) == 2
    check_same(lab[1], lab[2])


@runners
@pytest.mark.parametrize(
    "target",
    [
        *[b"/", b"/a/../b/./c", b"//evil.example/x", b"/a%2Fb%00%zz", b"/p?a[]=1&a[]=2&a={x}"],
        *[b"/it's?$HOME=`id`&b=\"<>|^", b"/x?a?b"],
    ],
)
def test_a_target_arrives_again_undecoded(lab, run, target):
    send_raw(lab, b"POST", target, HEADERS[:2], b"{}")
    run(lab)
    check_same(lab[1], lab[2])


@pytest.mark.parametrize(
    ("run", "path"),
    [
        pytest.param(run_curl, "/caf%E9", marks=needs_shell),
        pytest.param(run_in_sh, "/caf%E9", marks=needs_sh),
        (run_python, "/caf%E9"),
    ],
)
def test_bytes_beyond_ascii_in_a_target(lab, run, path):
    send_raw(lab, b"POST", b"/caf\xe9", HEADERS[:2], b"{}")
    run(lab)
    assert [lab[1].path, lab[2].path.upper()] == ["/caf\xe9", path.upper()]


@pytest.mark.parametrize(
    ("run", "kept"), [pytest.param(run_curl, "%23", marks=needs_shell), (run_python, "#")]
)
def test_what_follows_a_hash_in_a_target_arrives_too(lab, run, kept):
    send_raw(lab, b"POST", b"/a#b?c=#d", HEADERS[:2], b"{}")
    run(lab)
    assert lab[1].path + lab[1].query_string == "/a#bc=#d"
    assert lab[2].path + lab[2].query_string == f"/a{kept}bc={kept}d"


@runners
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PURGE"])
def test_a_method_arrives_again(lab, run, method):
    send_raw(lab, method, b"/hooks", [b"X-Only: this"], b"")
    run(lab)
    check_same(lab[1], lab[2])


@runners
def test_it_goes_to_the_lab_that_has_it_unless_said_otherwise(lab, run):
    send_raw(lab, b"POST", b"/hooks?a=1", HEADERS, b"{}")
    for delivery in (lab[1], next(iter(lab))):
        assert delivery.curl() == delivery.curl(lab.url)
        assert delivery.python() == delivery.python(lab.url)
    code, url = lab[1].curl("https://other.example/x"), lab.url
    assert url not in code
    assert "https://other.example/x/hooks?a=1" in code
    run(lab)
    assert [each.query_string for each in lab] == ["a=1"] * 2
    lab.close()
    assert lab[1].curl() == lab[1].curl(url)


def test_a_method_is_quoted():
    assert "'POST; id'" in curl(Sendable("POST; id", "http://x/", (), b""))


@runners
def test_credentials_are_sent_again_only_if_asked_for(lab, run):
    send_raw(lab, b"POST", b"/hooks?token=s3cret&a=1", HEADERS, b"\xff'")
    shown = lab[1].curl(lab.url) + lab[1].python(lab.url)
    assert "s3cret" not in shown
    assert shown.count("***") == 4
    run(lab)
    assert lab[2].headers.get("authorization") == "Bearer s3cret"
    assert lab[2].query_string == "token=s3cret&a=1"
