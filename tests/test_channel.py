"""The channel between processes of one user: who may connect, calls, signals, who leads."""

import asyncio
import contextlib
import socket
import struct
import threading

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.waiting import until
from webhooklab.defaults import CHANNEL_THREADS, MAX_CHANNEL_MESSAGE_BYTES
from webhooklab.errors import AttachedError, ListenerProcessError, MappingError
from webhooklab.processes import Connection, Hub, Leading


class Ends:
    """Both ends of a channel: what the hub was asked, and what it answers by name."""

    def __init__(self):
        self.answers = {"echo": lambda **given: given}
        self.left = []
        self.hub = Hub(self.serve, self.left.append)

    def serve(self, peer, name, arguments):
        return self.answers[name](**arguments)

    def connect(self, handle=lambda *_: None, on_end=lambda _: None):
        return Connection(self.hub.address, self.hub.key, handle, on_end)


@pytest.fixture
def ends():
    ends = Ends()
    yield ends
    ends.hub.close()


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("reset", [False, True])
def test_a_hub_that_ends_while_one_connects_is_not_there(asked, reset):
    """Killed at that moment: what its socket had taken is closed, with or without being read."""
    with socket.create_server(("127.0.0.1", 0)) as dying:

        def take():
            with dying.accept()[0] as taken:
                if asked:
                    taken.recv(65_536)
                if reset:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=take)
        thread.start()
        address = f"ws://127.0.0.1:{dying.getsockname()[1]}/"
        with pytest.raises(ConnectionRefusedError):
            Connection(address, "key", lambda *_: None, lambda _: None)
        thread.join()


def knock(address, **headers):
    async def connect():
        connection = await websocket_connect(HTTPRequest(address, headers=headers))
        connection.close()
        assert await connection.read_message() is None

    asyncio.run(connect())


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "wrong"}, {"Authorization": "KEY", "Origin": "OWN"}],
)
def test_only_who_knows_the_key_and_is_no_web_page_may_connect(ends, headers):
    own = ends.hub.address.replace("ws:", "http:").rstrip("/")
    known = {"KEY": ends.hub.key, "OWN": own}
    given = {name: known.get(value, value) for name, value in headers.items()}
    with pytest.raises(HTTPClientError, match="403"):
        knock(ends.hub.address, **given)
    knock(ends.hub.address, Authorization=ends.hub.key)
    until(lambda: ends.left)


def test_a_wrong_key_and_nobody_there_are_refused_connections(ends):
    for address, key in ((ends.hub.address, "wrong"), ("ws://127.0.0.1:1/", ends.hub.key)):
        with pytest.raises(ConnectionRefusedError):
            Connection(address, key, print, print)
    assert not [each for each in threading.enumerate() if each.name == "webhooklab-channel"]


def test_a_call_has_an_answer_or_the_error_that_it_raised(ends):
    def fail(error):
        raise error

    ends.answers["ours"] = lambda: fail(MappingError("not JMESPath"))
    ends.answers["no JSON"] = object
    ends.answers["theirs"] = lambda: fail(ZeroDivisionError("secret"))
    with ends.connect() as connection:
        assert connection.peer.call("echo", 5, a=[1, "ä"]) == {"a": [1, "ä"]}
        with pytest.raises(MappingError, match="not JMESPath"):
            connection.peer.call("ours", 5)
        with pytest.raises(ListenerProcessError, match=r"failed \(ZeroDivisionError\)"):
            connection.peer.call("theirs", 5)
        with pytest.raises(ListenerProcessError, match=r"failed \(KeyError\)"):
            connection.peer.call("unknown", 5)
        for _ in range(CHANNEL_THREADS + 1):
            with pytest.raises(ListenerProcessError, match="not JSON serializable"):
                connection.peer.call("no JSON", 5)


def test_what_is_too_large_is_refused_and_the_connection_stays(ends, monkeypatch):
    monkeypatch.setattr("webhooklab.processes.peers.MAX_CHANNEL_MESSAGE_BYTES", 1_000)
    ends.answers["long"] = lambda: "x" * 1_000
    with ends.connect() as connection:
        with pytest.raises(ListenerProcessError, match="too many"):
            connection.peer.call("echo", 5, a="x" * 1_000)
        with pytest.raises(ListenerProcessError, match="too many"):
            connection.peer.call("long", 5)
        assert connection.peer.call("echo", 5) == {}


def test_who_sends_too_much_all_the_same_is_cut_off(ends):
    async def send():
        request = HTTPRequest(ends.hub.address, headers={"Authorization": ends.hub.key})
        connection = await websocket_connect(request)
        with contextlib.suppress(Exception):
            await connection.write_message("x" * (MAX_CHANNEL_MESSAGE_BYTES + 1))
        assert await connection.read_message() is None
        connection.close()
        return connection.close_code

    assert asyncio.run(send()) in (1009, None)
    until(lambda: ends.left)


def test_a_call_to_who_is_slow_or_has_gone_says_so(ends):
    release = threading.Event()
    ends.answers["slow"] = release.wait
    gone = []
    connection = ends.connect(on_end=gone.append)
    with pytest.raises(ListenerProcessError, match=r"did not answer \(slow\)"):
        connection.peer.call("slow", 0.05)
    waiting = threading.Timer(0.05, ends.hub.close)
    waiting.start()
    with pytest.raises(ListenerProcessError, match="did not answer"):
        connection.peer.call("slow", 60)
    waiting.join()
    with pytest.raises(ListenerProcessError, match="did not answer"):
        connection.peer.call("echo", 60)
    assert gone == [connection.peer]
    release.set()
    connection.close()


def test_signals_count_as_one_for_who_stands_still(ends):
    calls, hold = [], threading.Event()

    def handle(_peer, name, _arguments):
        calls.append(name)
        hold.wait(10)

    with ends.connect(handle):
        until(lambda: ends.hub.peers)
        for _ in range(100):
            ends.hub.signal("rows")
        until(lambda: calls)
        ends.hub.signal("rows")
        hold.set()
        until(lambda: len(calls) == 2)
        ends.hub.signal("rows")
        until(lambda: len(calls) == 3)


def test_one_leads_at_a_time_and_is_asked(ends):
    changes, given = [], []
    leading = Leading(lambda: changes.append(leading.pid))
    leading.takes("rule", given.append)
    ends.answers["give"] = lambda **asked: leading.give(first, **asked)
    with pytest.raises(ListenerProcessError, match="No Lab leads"):
        leading.ask("double", 5, n=1)

    def answer(_peer, _name, arguments):
        return arguments["n"] * 2

    with ends.connect(answer) as connection, ends.connect():
        until(lambda: len(ends.hub.peers) == 2)
        first, second = ends.hub.peers
        assert (leading.begin(first, 11), leading.begin(second, 22)) == (True, False)
        assert leading.pid == 11
        assert leading.ask("double", 5, n=21) == 42
        connection.peer.call("give", 5, name="rule", value={"status": 503})
        assert given == [{"status": 503}]
        with pytest.raises(AttachedError, match="Another Lab leads"):
            leading.give(second, "rule", 1)
        leading.leave(second)
        assert leading.pid == 11
        leading.leave(first)
        assert leading.begin(second, 22)
    assert changes[-1] == 22
