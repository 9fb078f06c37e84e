"""Servers to measure, each in a process of its own; this is the child's side.

    python -m tests.benchmarks.contenders NAME FOLDER

It prints one line of JSON (the port, or what is not installed), answers commands from standard
input, a line each, and ends when that ends, so that none outlives the benchmark. Imports nothing
but the contender: its process is as small as its users' would be.
"""

# ruff: noqa: PLC0415, ARG001 - each contender imports its own, and some need no folder

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
SERVERS: dict[str, Callable[[Path], None]] = {}


def server(name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def register(function: Callable[[Path], None]) -> Callable[[Path], None]:
        SERVERS[name] = function
        return function

    return register


def say(**values: object) -> None:
    _speech.write(json.dumps(values) + "\n")
    _speech.flush()


def listening() -> socket.socket:
    """A listening socket, its port announced."""
    sock = socket.create_server((HOST, 0), backlog=128)
    say(port=sock.getsockname()[1])
    return sock


def free_port() -> int:
    """A port for those that insist on binding themselves, announced."""
    with socket.create_server((HOST, 0)) as sock:
        port = sock.getsockname()[1]
    say(port=port)
    return port


@server("ceiling")
def serve_ceiling(folder: Path) -> None:
    """The least that can be done: whatever arrives is answered, unread."""
    import asyncio

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def serve() -> None:
        await asyncio.get_running_loop().create_server(Answers, sock=listening())
        await asyncio.Event().wait()

    asyncio.run(serve())


@server("tornado-application")
def serve_tornado_application(folder: Path) -> None:
    """A no-op `tornado.web.Application` that answers 200."""
    from tornado.web import Application, RequestHandler

    class Hook(RequestHandler):
        def post(self) -> None:
            pass

    _serve_tornado(Application([(".*", Hook)]))


@server("tornado-callback")
def serve_tornado_callback(folder: Path) -> None:
    """A bare `HTTPServer` whose callback answers 200."""
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

    fine = ResponseStartLine("HTTP/1.1", 200, "OK")

    def answer(request: HTTPServerRequest) -> None:
        request.connection.write_headers(fine, HTTPHeaders({"Content-Length": "0"}))
        request.connection.finish()

    _serve_tornado(answer)


def _serve_tornado(callback: object) -> None:
    import asyncio
    import logging

    from tornado.httpserver import HTTPServer

    logging.getLogger("tornado.access").setLevel(logging.ERROR)

    async def serve() -> None:
        HTTPServer(callback).add_socket(_non_blocking(listening()))
        await asyncio.Event().wait()

    asyncio.run(serve())


def _non_blocking(sock: socket.socket) -> socket.socket:
    sock.setblocking(False)
    return sock


@server("fastapi")
def serve_fastapi(folder: Path) -> None:
    """FastAPI appending to a list, on uvicorn as it comes: with its parser in Python."""
    _serve_fastapi("h11", "asyncio")


@server("fastapi-standard")
def serve_fastapi_standard(folder: Path) -> None:
    """The same on `uvicorn[standard]`: parser and loop in C."""
    import httptools  # noqa: F401
    import uvloop  # noqa: F401

    _serve_fastapi("httptools", "uvloop")


def _serve_fastapi(parser: str, loop: str) -> None:
    import uvicorn
    from fastapi import FastAPI, Request

    app = FastAPI()
    kept: list[object] = []

    async def hook(request: Request) -> None:
        kept.append((request.headers.raw, await request.body()))

    hook.__annotations__["request"] = Request  # FastAPI looks for the name in this module
    app.post("/{path:path}")(hook)
    config = uvicorn.Config(app, http=parser, loop=loop, log_level="error", access_log=False)
    uvicorn.Server(config).run(sockets=[listening()])


@server("flask")
def serve_flask(folder: Path) -> None:
    """Flask appending to a list, on its own threaded server."""
    from flask import Flask, request
    from werkzeug.serving import make_server

    _silence_werkzeug()
    app = Flask(__name__)
    kept: list[object] = []

    @app.post("/<path:path>")
    def hook(path: str) -> str:
        kept.append((list(request.headers), request.get_data()))
        return ""

    sock = listening()
    make_server(HOST, 0, app, threaded=True, fd=sock.fileno()).serve_forever()


@server("aiohttp")
def serve_aiohttp(folder: Path) -> None:
    """aiohttp appending to a list."""
    from aiohttp import web

    kept: list[object] = []

    async def hook(request: web.Request) -> web.Response:
        kept.append((request.raw_headers, await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", hook)
    web.run_app(app, sock=listening(), print=None, access_log=None)


@server("webhook-replay")
def serve_webhook_replay(folder: Path) -> None:
    """webhook-replay as its own command starts it."""
    from webhook_replay.cli import main

    port = str(free_port())
    main(["--db", str(folder / "webhook-replay.db"), "serve", "--port", port])


def _silence_werkzeug() -> None:
    """It would print a line for each request."""
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@server("hookee")
def serve_hookee(folder: Path) -> None:
    """hookee printing what it gets (to nowhere), without its tunnel."""
    os.environ["HOOKEEDIR"] = str(folder)  # where its settings are
    from hookee import HookeeManager
    from hookee.conf import Config

    _silence_werkzeug()
    port = free_port()
    HookeeManager(Config(port=port, no_tunnel=True, default_route=".*")).run()


@server("pytest-httpserver")
def serve_pytest_httpserver(folder: Path) -> None:
    """pytest-httpserver with one handler for all that comes; it keeps a log of it."""
    import re

    from pytest_httpserver import HTTPServer

    _silence_werkzeug()
    fake = HTTPServer(HOST, free_port(), threaded=True)
    fake.expect_request(re.compile(".*")).respond_with_data()
    fake.start()
    threading.Event().wait()


@server("fasthook")
def serve_fasthook(folder: Path) -> None:
    """fasthook saving what it gets, as its own command starts it."""
    from fasthook.cli import main

    saved = str(folder / "fasthook.json")
    main(["listen", str(free_port()), "--save", saved, "--quiet"])


@server("mitmproxy")
def serve_mitmproxy(folder: Path) -> None:
    """mitmdump writing flows to a file, and answering by itself in place of the target."""
    from mitmproxy.tools.main import mitmdump

    script = folder / "answer.py"
    script.write_text(_MITMPROXY_SCRIPT)
    flows, mode = str(folder / "flows"), "reverse:http://127.0.0.1:9"
    options = ["--listen-host", HOST, "--listen-port", str(free_port()), "--mode", mode]
    options += ["--set", "connection_strategy=lazy"]
    mitmdump(["--quiet", *options, "--save-stream-file", flows, "--scripts", str(script)])


_MITMPROXY_SCRIPT = """
from mitmproxy import http

def request(flow):
    flow.response = http.Response.make(200)
"""


@server("webhooklab")
def serve_webhooklab(folder: Path) -> None:
    """A Lab in the process of a notebook, whose cells are run on command."""
    from tests.benchmarks.notebook import Notebook

    notebook = Notebook(folder / "captures.db")
    _commands.append(notebook.obey)
    say(port=notebook.port)
    notebook.run_cells()


@server("webhooklab-process")
def serve_webhooklab_process(folder: Path) -> None:
    """The same, listening in a process of its own."""
    from tests.benchmarks.notebook import Notebook

    notebook = Notebook(folder / "captures.db", listener="process", outlives=False)
    _commands.append(notebook.obey)
    say(port=notebook.port)
    notebook.run_cells()


@server("collection")
def serve_collection(folder: Path) -> None:
    """No contender: the API that a poller asks."""
    import asyncio

    from tests.benchmarks.collection import Collection, serve

    sock = socket.create_server((HOST, 0), backlog=128)
    collection = Collection(sock.getsockname()[1])
    _commands.append(collection.obey)
    say(port=sock.getsockname()[1])
    asyncio.run(serve(sock, collection))


_commands: list[Callable[[str], object]] = []


def _listen_to_commands() -> None:
    try:
        for line in sys.stdin:
            say(result=_commands[0](line.strip()))
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # or its parent would wait for an answer
    os._exit(0)


if __name__ == "__main__":
    # What a contender prints is not for us.
    _speech = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    threading.Thread(target=_listen_to_commands, daemon=True).start()
    try:
        SERVERS[sys.argv[1]](Path(sys.argv[2]))
    except ImportError as error:
        say(missing=error.name)
