"""Sends so many webhooks a second, from a process of its own: `python -m ... URL RATE SECONDS`."""

import asyncio
import sys
from urllib.parse import urlsplit

from tests.jupyter.kernel_parts import order_bytes

CONNECTIONS = 8


async def send_share(target, numbers, due):
    """Send these on one connection, each when it is due; returns how many were answered 200."""
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    accepted = 0
    for number in numbers:
        await asyncio.sleep(due(number) - asyncio.get_running_loop().time())
        writer.write(request(target, order_bytes(number)))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        accepted += head.startswith(b"http/1.1 200")
    writer.close()
    return accepted


def request(target, body):
    lines = (
        f"POST {target.path}orders HTTP/1.1",
        f"Host: {target.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "\r\n",
    )
    return "\r\n".join(lines).encode() + body


async def send(url, per_second, seconds):
    loop = asyncio.get_running_loop()
    begun = loop.time()
    count = per_second * seconds
    shares = (range(first, count, CONNECTIONS) for first in range(CONNECTIONS))
    sending = (
        send_share(urlsplit(url), share, lambda number: begun + number / per_second)
        for share in shares
    )
    accepted = sum(await asyncio.gather(*sending))
    return accepted, loop.time() - begun


if __name__ == "__main__":
    accepted, took = asyncio.run(send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    print(accepted, round(took, 1))
