"""A relay, at its real socket: what senders send to it, and what readers say on their links."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st
from websockets.exceptions import WebSocketException

from tests.fuzz.frames import FRAMES
from tests.fuzz.mutations import damaged
from tests.fuzz.registry import target
from tests.hostile_requests import statuses
from tests.raw_http import Client, post
from tests.relay_parts import Reader, ask, below
from webhooklab.background import BackgroundLoop
from webhooklab.relay.decoding import decode_channel
from webhooklab.relay.protocol import Channel, Closing, encode
from webhooklab.relay.server import RelayServer, Settings

MANY = 10**9
LINK = (
    b"GET /listen/<channel> HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Authorization: Bearer <key>\r\n\r\n\x81\x82\0\0\0\0{}"
)
WHOLES = (
    b"POST /<url>a%2Fb?c HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"PUT /<url> HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET http://x/<url> HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
    b"POST /<url> HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
    b"POST /new HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 0\r\n\r\n",
    b"GET /status HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    LINK,
    b"DELETE /listen/<channel> HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n",
)
ANSWERED = {
    *(b"100", b"101", b"200", b"201", b"202", b"304", b"400", b"403", b"404", b"405", b"411"),
    *(b"413", b"417", b"426", b"431"),
}


@dataclass(frozen=True)
class Stage:
    """A relay's URL, and a channel of it."""

    url: str
    channel: Channel

    @property
    def queued(self) -> int:
        """How many deliveries it holds, of all channels."""
        return int(ask(self.url, "GET", "status").body.partition(b'"queued": ')[2].split(b",")[0])


@contextlib.contextmanager
def relay() -> Iterator[Stage]:
    limits = {"rate_burst": MANY, "queue_rows": MANY, "channels": MANY, "new_burst": MANY}
    with tempfile.TemporaryDirectory() as folder, BackgroundLoop() as background:
        settings = Settings(
            db=Path(folder, "relay.db"), port=0, channels_per_address=MANY, **limits
        )
        server = background.call(RelayServer, settings)
        background.call(server.start)
        try:
            yield Stage(server.url, decode_channel(ask(server.url, "POST", "new").body))
        finally:
            background.run(server.stop())


@target(damaged(WHOLES), stage=relay, bounded=133)
def relay_requests_damaged(raw: bytes, relay: Stage) -> None:
    """Accepted is kept, nothing crashes, and the next delivery is taken."""
    channel = relay.channel
    for name, value in (
        ("url", below(channel)),
        ("channel", channel.channel),
        ("key", channel.key),
    ):
        raw = raw.replace(f"<{name}>".encode(), value.encode())
    before = relay.queued
    with Client(relay.url) as client:
        with contextlib.suppress(OSError):
            client.send(raw).finish_sending()
        answers = statuses(client.rest())
    assert set(answers) <= ANSWERED, answers
    assert relay.queued >= before + answers.count(b"202"), "accepted is kept"
    assert post(f"{relay.url}{below(channel)}", b"next").status == 202


SAID = [encode(frame).encode() for frame in FRAMES]


@target(
    st.lists(damaged(SAID) | st.sampled_from(SAID), min_size=1, max_size=4),
    stage=relay,
    bounded=100,
)
def relay_links_damaged(said: list[bytes], relay: Stage) -> None:
    """Whatever a reader says: its link goes on, or is closed as one that does not fit."""
    assert post(f"{relay.url}{below(relay.channel)}").status == 202
    with Reader(relay.url, relay.channel, hello=False) as reader:
        with contextlib.suppress(WebSocketException):
            for each in said:
                reader.link.send(each.decode("utf-8", "replace"))
            reader.link.send("the end")
        assert reader.closed() in (Closing.PROTOCOL, Closing.GOING_AWAY), said
    assert post(f"{relay.url}{below(relay.channel)}", b"next").status == 202
