"""An API to poll: a collection of orders of about 1 KB, in pages of 100.

As little server as can be: each page is made once, and again when one of its orders changes.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from typing import Any

from tests.benchmarks.samples import samples

PAGE_ENTITIES = 100
_PAGE = re.compile(rb"[?&]page=(\d+)")


class Collection:
    """`answer(request)` is a page. Commands: `hold 10000` orders, and `change` one of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._changes = 0
        self.command_hold("0")

    def answer(self, request: bytes) -> bytes:
        found = _PAGE.search(request.partition(b"\r\n")[0])
        return self._pages[int(found[1]) - 1 if found else 0]

    def obey(self, line: str) -> object:
        """One command: its name, and perhaps a value."""
        name, _, value = line.partition(" ")
        return getattr(self, f"command_{name}")(value)

    def command_hold(self, count: str) -> None:
        bodies = [body for _, _, body in samples(0, int(count))]
        self._orders = [_order(number, body) for number, body in enumerate(bodies)]
        pages = max(1, len(bodies) // PAGE_ENTITIES)
        self._pages = [self._page(number) for number in range(pages)]

    def command_change(self, value: str) -> None:
        """Each time another one."""
        self._changes += 1
        number = self._changes * 7_919 % len(self._orders)
        self._orders[number]["version"] += 1
        self._pages[number // PAGE_ENTITIES] = self._page(number // PAGE_ENTITIES)

    def _page(self, number: int) -> bytes:
        first = number * PAGE_ENTITIES
        body = json.dumps({"orders": self._orders[first : first + PAGE_ENTITIES]}).encode()
        fields = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        if first + PAGE_ENTITIES < len(self._orders):
            url = f"http://127.0.0.1:{self._port}/orders?page={number + 2}"
            fields.append(f'Link: <{url}>; rel="next"')
        return "\r\n".join(("HTTP/1.1 200 OK", *fields, "", "")).encode() + body


def _order(number: int, body: bytes) -> dict[str, Any]:
    sample = json.loads(body)
    return {**sample["data"], "id": f"ord_{number:06}", "padding": sample["padding"]}


async def serve(sock: socket.socket, collection: Collection) -> None:
    """Answer GETs on kept-alive connections, for ever."""

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            self.received = b""

        def data_received(self, data: bytes) -> None:
            self.received += data
            while b"\r\n\r\n" in self.received:
                request, _, self.received = self.received.partition(b"\r\n\r\n")
                self.transport.write(collection.answer(request + b"\r\n"))

    await asyncio.get_running_loop().create_server(Answers, sock=sock)
    await asyncio.Event().wait()
