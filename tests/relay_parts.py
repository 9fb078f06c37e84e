"""A real relay in a process of its own, and a reader of it by an independent WebSocket library."""

import json
import re
import signal
import ssl
from contextlib import contextmanager, suppress
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.command import line_with, start
from tests.raw_http import Client, request
from webhooklab.relay.decoding import decode_channel, decode_from_relay
from webhooklab.relay.protocol import (
    Ack,
    Answer,
    Channel,
    Delivery,
    Hello,
    Ready,
    encode,
)

PATIENCE_SECONDS = 20.0


class RelayProcess:
    """`webhooklab relay` on a free port; `options` as on the command line."""

    def __init__(
        self, folder: Path, *options: str, port: int = 0, env: dict[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._options = options
        self._env = env
        self.port = port
        self.start()

    def begin(self) -> None:
        """Have it start, and do not wait."""
        asked = ("relay", "--port", self.port, "--db", "relay.db", *self._options)
        self.process = start(*asked, cwd=self._folder, env=self._env)

    def start(self) -> None:
        self.begin()
        try:
            line = line_with(self.process, "relay at ")
        except AssertionError:
            with self.process:
                raise
        self.url = re.search(r"https?://[^,]+", line)[0]
        self.port = int(self.url.rpartition(":")[2].strip("/"))

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> str:
        """End it as systemd does; what it wrote to its log."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> str:
        return self.process.communicate(timeout=PATIENCE_SECONDS)[1]

    def new(self, *headers: str) -> Channel:
        answer = ask(self.url, "POST", "new", headers=headers)
        assert answer.status == 201, answer
        assert answer.headers["cache-control"] == "no-store"
        return decode_channel(answer.body)

    def status(self) -> dict:
        return json.loads(ask(self.url, "GET", "status").body)


@contextmanager
def running(folder, *options, env=None):
    relay = RelayProcess(folder, *options, env=env)
    try:
        yield relay
    finally:
        if relay.process.poll() is None:
            relay.stop()


def below(channel):
    """A channel's write URL below the relay's, by whatever host the relay was asked."""
    return "h/" + channel.url.partition("/h/")[2]


def send(relay, channel, path="", *, method="POST", headers=(), body=b""):
    """Send a delivery; what its sender gets."""
    return ask(relay.url, method, below(channel) + path, headers=headers, body=body)


def ask(url, method, path="", *, headers=(), body=b""):
    with Client(url) as client:
        data = request(method, client.path + path, headers=headers, body=body)
        return client.ask(data) if method != "HEAD" else client.send(data).answer(bodiless=True)


class Reader:
    """A reader that acknowledges only when told to. `with` closes its link."""

    def __init__(self, relay_url, channel, *, after=0, hello=True, key=None, origin=None, ca=None):
        url = f"ws{relay_url[4:]}listen/{channel.channel}"
        context = None
        if ca is not None:
            context = ssl.create_default_context(cafile=ca)
        self._opened = connect(
            url,
            additional_headers={"Authorization": f"Bearer {key or channel.key}"},
            origin=origin,
            ssl=context,
            compression=None,
            max_size=None,
            max_queue=None,
            proxy=None,
            close_timeout=0.2,
            open_timeout=PATIENCE_SECONDS,
        )
        self.link = self._opened.__enter__()
        if hello:
            self.say(Hello(after))
            self.ready = self.next()
            assert isinstance(self.ready, Ready)

    def say(self, frame):
        self.link.send(encode(frame))

    def next(self, timeout=PATIENCE_SECONDS):
        return decode_from_relay(self.link.recv(timeout=timeout))

    def delivery(self, *, ack=True) -> Delivery:
        frame = self.next()
        assert isinstance(frame, Delivery), frame
        if ack:
            self.say(Ack(frame.sequence))
        return frame

    def closed(self) -> int:
        """Read until the relay closes the link; the code that it closes with."""
        with suppress(ConnectionClosed):
            while True:
                self.next()
        return self.link.close_code

    def answer(self, sequence, status=200, headers=(), body=b""):
        self.say(Answer(sequence, status, headers, body))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._opened.__exit__(None, None, None)
