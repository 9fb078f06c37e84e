"""Traffic through a relay, as providers that try again make it."""

import os
import threading
from contextlib import suppress

from tests.raw_http import Client, request

ROUNDS = int(os.environ.get("WEBHOOKLAB_RELAY_ROUNDS", "2"))
"""So often each thing goes wrong; 20 where there is time."""
LIMITS = ("--rate-per-second", "100000", "--rate-burst", "100000", "--queue-rows", "100000")
PATIENCE_SECONDS = 60.0


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
