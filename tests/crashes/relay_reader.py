"""A relay that is killed, read by a reader that shares no code with the lab's."""

import random
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

from websockets.exceptions import WebSocketException

from tests.crashes.arrived import Kept, Place
from tests.crashes.relay import kill_relay, relay_in
from tests.crashes.scenario import Scenario
from tests.crashes.traffic import NAME, REST_SECONDS, shown
from tests.relay_parts import Reader, below
from webhooklab.relay.protocol import Ack, Delivery, Gap


class Follower(threading.Thread):
    """Keeps what it gets, acknowledges, answers some, and comes back each time."""

    def __init__(self, relay, channel):
        super().__init__()
        self.relay, self.channel = relay, channel
        self.kept: dict[int, Delivery] = {}
        self.gaps: list[Gap] = []
        self.ended = threading.Event()
        self.reader: Reader | None = None

    def run(self):
        while not self.ended.is_set():
            with suppress(OSError, WebSocketException, TimeoutError):
                after = max(self.kept, default=0)
                with Reader(self.relay.url, self.channel, after=after) as self.reader:
                    while not self.ended.is_set():
                        self._take(self.reader)
            self.ended.wait(REST_SECONDS)

    def _take(self, reader):
        with suppress(TimeoutError):
            frame = reader.next(timeout=0.2)
            if isinstance(frame, Gap):
                self.gaps.append(frame)
                return
            self.kept.setdefault(frame.sequence, frame)
            if frame.sequence % 3 == 0:  # as one that commits in groups
                reader.say(Ack(frame.sequence))
            if frame.waiting:
                reader.answer(frame.sequence, 200)

    def cut(self):
        """As when the network goes: no farewell."""
        if self.reader is not None:
            with suppress(OSError):
                self.reader.link.socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        self.join()


class Followed:
    """What the follower has kept: a sequence each."""

    name = "reader"

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._seen = 0

    def new(self) -> Iterator[Kept]:
        assert not self._follower.gaps, "the relay has dropped nothing"
        kept = list(self._follower.kept.values())[self._seen :]
        self._seen += len(kept)
        return map(self._captured, kept)

    def whole(self) -> Iterator[Kept]:
        return Followed(self._follower).new()

    def _captured(self, delivery: Delivery) -> Kept:
        assert delivery.url == self._follower.channel.url + delivery.target[1:]
        path, _, query = delivery.target.partition("?")
        name = dict(delivery.headers)[NAME]
        return Kept(name, shown(delivery.method, path, query, delivery.headers, delivery.body))


class RelayReader(Scenario):
    """Every other time its link is cut, too."""

    name = "relay read by another"
    pause = 0.02

    def start(self) -> str:
        self.relay = relay_in(self.folder)
        self.closing.callback(self.relay.kill)
        channel = self.relay.new()
        self.follower = self.closing.enter_context(Follower(self.relay, channel))
        return self.relay.url + below(channel)

    def crash(self, chance: random.Random) -> None:
        if chance.random() < 0.5:
            self.follower.cut()
        kill_relay(self, self.relay, chance)

    def places(self) -> Sequence[Place]:
        return [Followed(self.follower)]
