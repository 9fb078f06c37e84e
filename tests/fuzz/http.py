"""The ingress, at its real socket."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz.mutations import damaged
from tests.fuzz.registry import target
from tests.raw_http import Client, post
from tests.waiting import until
from webhooklab import Lab

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
NAMES = st.text(TOKEN, min_size=1, max_size=12).filter(
    lambda name: name.lower() not in ("host", "connection", "expect", "te", "upgrade")
)
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20
).map(lambda value: value.strip(" \x85\xa0").strip())
TARGETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=24
).map("/".__add__)
WHOLES = (
    b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;e=1\r\n{}\r\n0\r\nT: u\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nWebhooklab-Envelope: 0.0\r\nContent-Length: 4\r\n\r\n\0\0\0\0",
)
ANSWERED = {b"100", b"200", b"400", b"413", b"417", b"421", b"431"}


@contextlib.contextmanager
def lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder, "captures.db")) as opened:
        yield opened


@target(damaged(WHOLES), stage=lab, bounded=133)
def requests_damaged(raw: bytes, lab: Lab) -> None:
    """Acknowledged is captured, nothing else is, and the next request is served."""
    before = len(lab)
    with Client(lab.url) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, OSError):
            client.send(raw).finish_sending()
        answers = client.rest()
    lines = [line.split() for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert {line[1] for line in lines} <= ANSWERED, answers
    acknowledged = [line[1] for line in lines].count(b"200")
    assert len(lab) >= before + acknowledged, "acknowledged is captured"
    assert post(lab.url, raw).status == 200
    assert lab[-1].body == raw
    until(lambda: not lab._parts.server._listener._connections)


@dataclass(frozen=True)
class Sent:
    """A request, how its body is parted into chunks (None: it is not), and how it is sent."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    chunks: list[int] | None
    segments: list[int]

    @property
    def raw(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in self.framed]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + self.content

    @property
    def framed(self) -> list[tuple[str, str]]:
        how = ("Content-Length", str(len(self.body)))
        return [*self.headers, how if self.chunks is None else ("Transfer-Encoding", "chunked")]

    @property
    def content(self) -> bytes:
        if self.chunks is None:
            return self.body
        parts = [part for part in cut(self.body, self.chunks) if part]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


PLACES = st.lists(st.integers(0, 500), max_size=4)
SENT = st.builds(
    Sent,
    st.text(TOKEN, min_size=1, max_size=8),
    TARGETS,
    st.lists(
        st.tuples(NAMES, VALUES).filter(
            lambda pair: pair[0].lower() not in ("content-length", "transfer-encoding")
        ),
        max_size=6,
    ),
    st.binary(max_size=60),
    st.none() | PLACES,
    PLACES,
)


@target(SENT, stage=lab, bounded=100)
def requests_kept(sent: Sent, lab: Lab) -> None:
    """However it is cut up on its way, a request that HTTP allows is kept as it was sent."""
    with Client(lab.url) as client:
        for part in cut(sent.raw, sent.segments):
            client.send(part)
        assert client.answer(bodiless=sent.method == "HEAD").status == 200
    kept = lab[-1]
    query = f"?{kept.query_string}" if kept.query_string else ""
    assert sent.target in (kept.path + query, f"{kept.path}?")
    assert kept.method == sent.method
    assert kept.headers.pairs == (("Host", "test"), *sent.framed)
    assert kept.body == sent.body
