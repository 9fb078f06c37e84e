"""A relay and its client, killed and cut off again and again: what was accepted is there, once.

Each round sends while a proxy cuts links, or kills the relay, or the process that reads it; in full
(WEBHOOKLAB_CRASH_ROUNDS=20) each of them so many times.
"""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from tests.command import environment
from tests.raw_http import Client, request
from tests.relay_parts import RelayProcess
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.background import BackgroundLoop

ROUNDS = int(os.environ.get("WEBHOOKLAB_CRASH_ROUNDS", "2"))
PATIENCE_SECONDS = 60.0
SENDERS = 4
READ = """
import sys
from webhooklab import Lab
lab = Lab(sys.argv[1])
exposure = lab.expose(sys.argv[2])
print(exposure.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class Proxy:
    """A way to a port that can be cut, with all that is on it, and slowed to `pause` s a piece."""

    def __init__(self, port):
        self._port = port
        self._open = set()
        self.pause = 0.0
        self._background = BackgroundLoop("proxy").start()
        self._server = self._background.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def cut(self):
        self._background.call(lambda: [each.transport.abort() for each in self._open])

    def close(self):
        self.cut()
        self._background.call(self._server.close)
        self._background.stop()

    async def _serve(self, reader, writer):
        try:
            back, on = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, on}
        await asyncio.gather(self._pump(reader, on), self._pump(back, writer))
        self._open -= {writer, on}

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(self.pause)
        except OSError:
            pass
        finally:
            writer.transport.abort()


class Senders:
    """Send numbered deliveries without rest, from `with` to its end; `accepted` by a 2xx."""

    def __init__(self, url):
        self._url = url
        self.accepted = set()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]

    def _send(self, sender):
        number = 0
        while not self._over.wait(0.002):
            number += 1
            body = b"%d-%d " % (sender, number) + bytes(range(256)) * (number % 5)
            try:
                with Client(self._url) as client:
                    status = client.ask(request(target=client.path + "x", body=body)).status
            except (OSError, ValueError, AssertionError, IndexError):
                continue
            if 200 <= status < 300:
                self.accepted.add(body)

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for each in self._threads:
            each.join()


@pytest.fixture
def relay(tmp_path):
    folder = tmp_path / "relay"
    folder.mkdir()
    limits = ("--rate-per-second", "100000", "--rate-burst", "100000", "--queue-rows", "100000")
    process = RelayProcess(folder, *limits)
    yield process
    if process.process.poll() is None:
        process.stop()


def all_of(bodies, accepted):
    """Every accepted one is there, unaltered, and nothing is there twice."""
    assert len(bodies) == len(set(bodies))
    assert accepted <= set(bodies)


def more_than(senders, count):
    until(lambda: len(senders.accepted) >= count, PATIENCE_SECONDS)


def test_the_relay_is_killed_and_links_are_cut(file, relay):
    proxy = Proxy(relay.port)
    with Lab(file) as lab:
        exposure = lab.expose(proxy.url)
        public = exposure.url.replace(proxy.url, f"http://127.0.0.1:{relay.port}")
        with Senders(public) as senders:
            for _ in range(ROUNDS):
                more_than(senders, len(senders.accepted) + 30)
                relay.kill()
                relay.start()
                more_than(senders, len(senders.accepted) + 30)
                proxy.cut()
                until(lambda: exposure.state.startswith("connected"), PATIENCE_SECONDS)
        until(lambda: len(lab) >= len(senders.accepted), PATIENCE_SECONDS)
        until(lambda: "behind" not in exposure.state, PATIENCE_SECONDS)
        all_of([row.body for row in lab], senders.accepted)
    proxy.close()


def reading(file, relay):
    process = subprocess.Popen(
        [sys.executable, "-c", READ, str(file), relay.url],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, process.stdout.readline().strip()


def test_the_process_that_reads_is_killed(file, relay):
    process, url = reading(file, relay)
    with Senders(url) as senders:
        for _ in range(ROUNDS):
            more_than(senders, len(senders.accepted) + 60)
            process.kill()
            process.communicate()
            more_than(senders, len(senders.accepted) + 30)
            process, again = reading(file, relay)
            assert again == url
    process.kill()
    process.communicate()
    with Lab(file) as lab:
        exposure = lab.expose(relay.url)
        until(lambda: len(lab) >= len(senders.accepted), PATIENCE_SECONDS)
        until(lambda: "behind" not in exposure.state, PATIENCE_SECONDS)
    all_of(list(read(file)["body"]), senders.accepted)


def test_a_slow_link_and_a_lab_that_was_away_for_long_lose_nothing(file, relay):
    proxy = Proxy(relay.port)
    proxy.pause = 0.01
    with Lab(file) as lab:
        exposure = lab.expose(proxy.url)
    public = exposure.url.replace(proxy.url, f"http://127.0.0.1:{relay.port}")
    with Senders(public) as senders:
        more_than(senders, 100 * ROUNDS)
    with Lab(file) as lab:
        exposure = lab.expose(proxy.url)
        until(lambda: len(lab) >= len(senders.accepted), PATIENCE_SECONDS)
        until(lambda: "connected" in exposure.state and "behind" not in exposure.state)
        all_of([row.body for row in lab], senders.accepted)
    proxy.close()
