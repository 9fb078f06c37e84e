"""A way to a port that can be cut, with all that is on it, and slowed."""

import asyncio
from typing import Self

from webhooklab.background import BackgroundLoop


class CuttingProxy:
    """`url` leads to the port. `pause`: seconds that each piece of what passes is held up."""

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error):
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
