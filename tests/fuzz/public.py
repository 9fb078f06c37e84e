"""The public URL, at the socket of a real Jupyter server."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fuzz.http import SENT, Sent, cut
from tests.fuzz.mutations import damaged
from tests.fuzz.registry import target
from tests.jupyter.jupyter_server import JupyterServer
from tests.raw_http import TIMEOUT_SECONDS, Client, post
from webhooklab import Lab

PLACE = b"/PUBLIC/"
WHOLES = (
    b"POST /PUBLIC/a%2Fb?c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"PUT /PUBLIC/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /PUBLIC/ HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
    b"GET /PUBLIC/x HTTP/1.0\r\n\r\n",
    b"POST /PUBLIC/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    b"POST /PUBLIC/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nx",
    b"POST /PUBLIC/ HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nContent-Length: 7\r\n\r\na=b&a=c",
    b"POST /PUBLIC/ HTTP/1.1\r\nHost: x\r\nAuthorization: b\r\nContent-Type: multipart/x\r\n\r\n",
    b"BREW /PUBLIC/../../api/contents HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n",
)
VIA = b"webhooklab-via: jupyter"
REFUSED = {b"400", b"404", b"405", b"408", b"413", b"417", b"431"}
"""What the route refuses with, and what Tornado does before it or beside it."""
ELSEWHERE = {*REFUSED, b"100", b"302", b"403"}
QUIET_SECONDS = 0.1


@dataclass(frozen=True)
class Public:
    """A lab with a public URL, and the log of the server that gives it."""

    lab: Lab
    url: str
    log: Path

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def secret(self) -> bytes:
        return self.path.split("/")[3].encode()


@contextlib.contextmanager
def public() -> Iterator[Public]:
    """In the end nothing of the secret is in the server's log."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        server = JupyterServer(Path(folder), "--debug")
        try:
            for name in ("JUPYTER_RUNTIME_DIR", "XDG_STATE_HOME"):
                patch.setenv(name, server.environment[name])
            patch.setenv("JPY_PARENT_PID", str(server.pid))
            with Lab(Path(folder, "captures.db")) as lab:
                opened = Public(lab, lab.expose().url, server.log_path)
                yield opened
        finally:
            server.stop()
        assert opened.secret[:12] not in opened.log.read_bytes()


@target(damaged(WHOLES), stage=public, bounded=80)
def public_requests_damaged(raw: bytes, public: Public) -> None:
    """Acknowledged is captured, nothing else is, nothing else opens, and the next is served."""
    before = len(public.lab)
    with Client(public.url) as client:
        with contextlib.suppress(OSError):
            client.send(raw.replace(PLACE, client.path.encode()))
        answers = _answers(client)
    blocks = [each for each in answers.split(b"\r\n\r\n") if each.startswith(b"HTTP/1.1 ")]
    for block in blocks:
        expected = {b"200", *REFUSED} if VIA in block.lower() else ELSEWHERE
        assert block.split()[1] in expected, answers
    acknowledged = sum(block.startswith(b"HTTP/1.1 200") for block in blocks)
    assert len(public.lab) >= before + acknowledged, "acknowledged is captured"
    assert post(public.url, raw).status == 200
    assert public.lab[-1].body == raw


def _answers(client: Client) -> bytes:
    """What comes until it is quiet, and then, our side ended, until the server ends its own.

    Tornado answers nobody who has ended their side.
    """
    found = b""
    client.socket.settimeout(QUIET_SECONDS)
    with contextlib.suppress(OSError):
        while more := client.socket.recv(65536):
            found += more
    client.socket.settimeout(TIMEOUT_SECONDS)
    with contextlib.suppress(OSError):
        client.finish_sending()
    return found + client.rest()


@target(SENT, stage=public, bounded=60)
def public_requests_kept(sent: Sent, public: Public) -> None:
    """However slowly it comes, whatever HTTP allows is kept: method, target and body as sent."""
    whole = replace(sent, target=public.path.rstrip("/") + sent.target)
    with Client(public.url) as client:
        for part in cut(whole.raw, sent.segments):
            client.send(part)
        assert client.answer(bodiless=sent.method == "HEAD").status == 200
    kept = public.lab[-1]
    query = f"?{kept.query_string}" if kept.query_string else ""
    assert sent.target in (kept.path + query, f"{kept.path}?")
    assert (kept.method, kept.body, kept.source) == (sent.method, sent.body, "jupyter")
