"""For the cells of the notebooks here: a lab with its inbox, and somebody who sends."""

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from webhooklab import clock
from webhooklab.headers import Headers
from webhooklab.records import EVENT_COLUMNS, Arrival, Event, Interpretation, Request
from webhooklab.signatures import UNCHECKED, Verification

ALL = list(EVENT_COLUMNS)


def inbox_of(lab):
    return lab._shown()


def post(url, body=None, path="", **headers):
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname, target.port)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    connection.request("POST", target.path + path, data, given)
    status = connection.getresponse().status
    connection.close()
    return status


def order(number, text="refund me"):
    return {"id": f"evt_{number}", "type": "order.shipped", "number": number, "text": text}


def order_bytes(number):
    """An order with a text as long as to make a common webhook's size."""
    return json.dumps(order(number, "refund me " * 40)).encode()


def start_steady_sender(url, per_second, seconds):
    """Send from a process of its own; `.communicate()[0]` says how many were accepted."""
    command = [sys.executable, "-m", "tests.jupyter.steady_sender", url]
    return subprocess.Popen(
        [*command, str(per_second), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def send(url, count, per_second=None, start=0):
    """Send so many, as fast as it goes or so many a second."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname, target.port)
    begun = time.monotonic()
    for number in range(start, start + count):
        if per_second:
            time.sleep(max(0, begun + (number - start) / per_second - time.monotonic()))
        data = json.dumps(order(number)).encode()
        headers = {"content-type": "application/json"}
        connection.request("POST", f"{target.path}orders", data, headers)
        connection.getresponse().read()
    connection.close()


def send_soon(url, count, per_second=None, delay=0.5):
    """`send` from a thread, so that the cell goes on."""

    def run():
        time.sleep(delay)
        send(url, count, per_second)

    threading.Thread(target=run, daemon=True).start()


TYPES = ["order.created", "order.paid", "order.shipped", "invoice.paid", "customer.updated"]


def arrival(number, received_at, body_bytes, verification=UNCHECKED, source="local"):
    kind = TYPES[number * 7 % 5]
    entity = kind.partition(".")[0]
    note = {"id": number % 97, "note": "x" * body_bytes}
    body = {"id": f"evt_{number}", "type": kind, "data": {"object": note}}
    request = Request(
        received_at=received_at,
        method="POST",
        target=f"/shop/webhooks?page={number % 3}",
        headers=Headers([("Content-Type", "application/json"), ("X-Api-Key", "s3cret")]),
        body=json.dumps(body).encode(),
        remote="127.0.0.1",
        source=source,
    )
    event = Event(kind, f"evt_{number}", entity, f"{entity[:3]}_{number % 97}")
    return Arrival(request, Interpretation("shop", 1, event), 200, verification)


def add(lab, *numbers, verified=None, reason=None, source="local"):
    """Put single rows into the capture file; `verified` is a verdict, as a provider's check."""
    verdict = Verification(verified, reason) if verified else UNCHECKED
    lab._parts.store.append([arrival(n, clock.now_us(), 20, verdict, source) for n in numbers])


def fill(lab, count, body_bytes=300):
    """Put rows into the capture file directly: much faster than sending them."""
    now = clock.now_us()
    for start in range(0, count, 1_000):
        numbers = range(start, min(start + 1_000, count))
        made = [arrival(n, now - (count - n) * 40_000, body_bytes) for n in numbers]
        lab._parts.store.append(made)


def sleep_until(told):
    """Block, as a call that takes long does, until the test has said so (`NotebookPage.tell`)."""
    while not Path(told).exists():
        time.sleep(0.05)


def burn_until(told):
    """Keep the interpreter busy in pure Python until the test has said so."""
    while not Path(told).exists():
        sum(range(1_000_000))
