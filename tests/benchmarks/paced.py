"""A sender with a pace: so many deliveries a second, whatever the answers take.

Runs in a process of its own. It notes when it began to write each request, on the clock that all
processes of a machine share (`time.monotonic`).

    python -m tests.benchmarks.paced PORT --per-second 100 --count 900
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time

from tests.benchmarks.samples import Sample, samples

CONNECTIONS = 32
CONNECT_SECONDS = 0.1
"""So long before the first delivery the connections are opened."""
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Pace:
    """Sends `count` deliveries; `sent[n]` is when the nth was, `answered[n]` when it was.

    They are number `first` and following of the samples. `at`: begin then, on the shared clock;
    None: as soon as they are made.
    """

    def __init__(
        self, port: int, per_second: float, count: int, *, first: int = 0, at: float | None = None
    ) -> None:
        self._port = port
        self._per_second = per_second
        self._requests = [_bytes(sample) for sample in samples(first, count)]
        self._begin = time.monotonic() + CONNECT_SECONDS if at is None else at
        self.sent = [0.0] * count
        self.answered = [0.0] * count
        self.refused = 0

    async def run(self) -> None:
        connections = min(CONNECTIONS, len(self._requests))
        await asyncio.sleep(self._begin - CONNECT_SECONDS - time.monotonic())
        await asyncio.gather(*(self._share(first, connections) for first in range(connections)))

    async def _share(self, first: int, step: int) -> None:
        """Every so-manieth delivery, on one connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for number in range(first, len(self._requests), step):
            due = self._begin + number / self._per_second
            await asyncio.sleep(due - time.monotonic())
            self.sent[number] = time.monotonic()
            writer.write(self._requests[number])
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            self.answered[number] = time.monotonic()
            self.refused += head[9:10] != b"2"
        writer.close()


def _bytes(sample: Sample) -> bytes:
    path, pairs, body = sample
    fields = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"POST {path} HTTP/1.1\r\n{fields}\r\n".encode() + body


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--per-second", type=float, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at", type=float)
    asked = parser.parse_args()
    pace = Pace(asked.port, asked.per_second, asked.count, first=asked.first, at=asked.at)
    asyncio.run(pace.run())
    print(json.dumps({name: getattr(pace, name) for name in ("sent", "answered", "refused")}))


if __name__ == "__main__":
    main()
