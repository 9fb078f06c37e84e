"""JupyterHub as a process, and what its users do in it."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.jupyter.jupyter_server import ROOT, extension_settings, free_port
from tests.left_behind import MARK

PROXY = "configurable-http-proxy"
HOW_TO_INSTALL = f"no {PROXY}: `npm install -g {PROXY}`, and `pip install webhooklab[test]`"
_CONFIG = """
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.public_url = {url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret_file = {cookie_secret!r}
c.JupyterHub.log_level = "DEBUG"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.cmd = [{single_user!r}]
c.Spawner.args = ["--allow-root", "--debug"]
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = 60
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}  # who asks for a server is not kept
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = {proxy_pid!r}
c.JupyterHub.services = [{{"name": "tests", "api_token": {token!r}, "admin": True}}]
"""


class Hub:
    """A running Hub. Everything that it, its proxy and its servers log is in `log_path`."""

    def __init__(self, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log_path = folder / "hub.log"
        self._token = secrets.token_hex()
        config = folder / "config.py"
        config.write_text(self._config(folder))
        self._log = self.log_path.open("wb")
        command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
        self._process = subprocess.Popen(
            command, cwd=folder, env=self._environment(), stdout=self._log, stderr=self._log
        )
        self._wait(lambda: self.api("GET", ""))

    def _config(self, folder):
        environment = {
            "PYTHONPATH": str(ROOT),
            "IPYTHONDIR": str(folder / "ipython"),
            MARK: os.environ.get(MARK, ""),
        }
        return _CONFIG.format(
            url=self.url,
            hub_port=free_port(),
            api_port=free_port(),
            cookie_secret=str(folder / "cookie_secret"),
            home=str(folder / "home-{username}"),
            environment=environment | extension_settings(folder),
            proxy=shutil.which(PROXY),
            single_user=str(Path(sys.executable).with_name("jupyterhub-singleuser")),
            proxy_pid=str(folder / "proxy.pid"),
            token=self._token,
        )

    @staticmethod
    def _environment():
        return {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "JPY_", "XDG_"))
        }

    def api(self, method, what, body=None):
        return ask(f"{self.url}/hub/api/{what}", method, self._token, body)

    def invite(self, name):
        """Have a user's server started; it takes a while."""
        self.api("POST", f"users/{name}")
        self.api("POST", f"users/{name}/server")

    def user(self, name):
        """A user who was invited, once the server runs."""
        self.wait_for(name)
        token = self.api("POST", f"users/{name}/tokens", {"note": "tests"})["token"]
        return User(self, name, token)

    def wait_for(self, name):
        """Until a user's server runs."""
        self._wait(lambda: self.api("GET", f"users/{name}")["servers"][""]["ready"] or None)

    def end_server(self, name):
        """As by the Hub's button, or its culler."""
        self.api("DELETE", f"users/{name}/server")
        self._wait(lambda: None if self.api("GET", f"users/{name}")["servers"] else True)

    def _wait(self, look, seconds=90):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, KeyError):
                if look() is not None:
                    return
            time.sleep(0.1)
        self.stop()
        raise TimeoutError("JupyterHub did not start: " + self.log_path.read_text()[-2_000:])

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class User:
    """Somebody with a server, and one kernel in it."""

    def __init__(self, hub, name, token):
        self.base = f"{hub.url}/user/{name}/"
        self._token = token
        self.start_kernel()

    def start_kernel(self):
        self._kernel = ask(f"{self.base}api/kernels", "POST", self._token, {})["id"]

    def run(self, code):
        """Run code in the kernel; returns what its last line printed, read as JSON."""
        return json.loads(asyncio.run(self._run(code)).splitlines()[-1])

    def restart(self):
        ask(f"{self.base}api/kernels/{self._kernel}/restart", "POST", self._token, {})

    async def _run(self, code):
        url = f"{self.base.replace('http', 'ws', 1)}api/kernels/{self._kernel}/channels"
        request = HTTPRequest(url, headers={"Authorization": f"token {self._token}"})
        socket = await websocket_connect(request)
        try:
            message = _execute(code)
            await socket.write_message(json.dumps(message))
            return await asyncio.wait_for(_printed(socket, message["header"]["msg_id"]), 60)
        finally:
            socket.close()
            while await socket.read_message() is not None:
                pass


def _execute(code):
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": uuid.uuid4().hex,
        "date": "2026-01-01T00:00:00Z",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "stop_on_error": True}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content | {"user_expressions": {}, "allow_stdin": False},
        "channel": "shell",
        "buffers": [],
    }


async def _printed(socket, msg_id):
    printed = ""
    while True:
        told = json.loads(await socket.read_message())
        if told["parent_header"].get("msg_id") != msg_id:
            continue
        content = told["content"]
        if told["msg_type"] == "stream":
            printed += content["text"]
        elif told["msg_type"] == "error":
            raise AssertionError("\n".join(content["traceback"]))
        elif content.get("execution_state") == "idle":
            return printed


def ask(url, method, token, body=None):
    """Ask a REST API as who has the token; None for an empty answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"token {token}"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        if error.code == 409:  # there is one already
            return None
        raise
