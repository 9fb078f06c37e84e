"""Traffic through a relay, as providers make it, and a way to it that can be cut."""

import asyncio
import os
import threading
from contextlib import suppress

from tests.raw_http import Client, request
from tests.waiting import until
from webhooklab.background import BackgroundLoop

ROUNDS = int(os.environ.get("WEBHOOKLAB_CRASH_ROUNDS", "2"))
"""So often each thing goes wrong; 20 where there is time."""
LIMITS = ("--rate-per-second", "100000", "--rate-burst", "100000", "--queue-rows", "100000")
PATIENCE_SECONDS = 60.0
SENDERS = 4


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


class Insistent:
    """A provider that sends each event until it is accepted, from `with` to its end.

    It does not wait for the first answer to every third one: that is sent, and maybe stored, twice.
    `events`: the ids of those that were accepted; `again`: how often one was sent once more.
    """

    def __init__(self, url, name):
        self._url = url
        self._name = name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send_all)
        self.events = []
        self.accepted = self.refused = self.again = 0

    def _send_all(self):
        number = 0
        while not self._over.is_set():
            number += 1
            event = f"{self._name}-{number}"
            if self._insist(self._request(event, number), patient=number % 3 > 0):
                self.events.append(event)

    def _request(self, event, number):
        target = "/" + self._url.split("/", 3)[3]
        headers = ("X-GitHub-Event: push", f"X-GitHub-Delivery: {event}")
        return request(target=target, headers=headers, body=b'{"n":%d}' % number)

    def _insist(self, data, *, patient):
        while not self._is_accepted(data, patient=patient):
            patient = True
            self.again += 1
            if self._over.wait(0.01):
                return False
        return True

    def _is_accepted(self, data, *, patient):
        with suppress(OSError, AssertionError, ValueError, IndexError), Client(self._url) as client:
            client.send(data)
            if patient:
                return self._is_accepting(client.answer())
        return False

    def _is_accepting(self, answer):
        self.accepted += answer.status in (200, 202)
        self.refused += answer.status == 503 and "retry-after" in answer.headers
        return answer.status in (200, 202)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def all_of(bodies, accepted):
    """Every accepted one is there, unaltered, and nothing is there twice."""
    assert len(bodies) == len(set(bodies))
    assert accepted <= set(bodies)


def more_than(senders, count):
    until(lambda: len(senders.accepted) >= count, PATIENCE_SECONDS)
