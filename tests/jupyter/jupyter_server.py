"""A real JupyterLab in a process of its own, and the browser that is to open it."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LAB = "lab/tree"
HOW_TO_INSTALL = (
    "no Chromium: `apt install chromium` (or `python -m playwright install chromium`) and "
    "`pip install webhooklab[test]`"
)
NO_NEWS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}


def chromium_path():
    """The system's Chromium; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


WARM = "import tests.jupyter.kernel_parts, webhooklab.inbox, webhooklab.lab"
"""What a warm kernel has done before it answers: it takes longer than most tests."""


def extension_settings(folder):
    """Jupyter's setting that enables our server extension, where no installed wheel brings it."""
    name = "jupyter_server_config.d/webhooklab.json"
    if (Path(sys.prefix) / "etc/jupyter" / name).exists():
        return {}
    place = folder / "settings" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "webhooklab/server_extension/webhooklab.json", place)
    return {"JUPYTER_CONFIG_PATH": str(folder / "settings")}


class JupyterServer:
    """JupyterLab in a process of its own, which sees nothing of this machine's settings."""

    def __init__(self, folder, *options):
        self.root = folder / "notebooks"
        self.root.mkdir()
        self.port = free_port()
        self.token = secrets.token_hex()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = folder / "server.log"
        self.environment = self._environment(folder)
        self.options = options
        self.spare = None
        self.start()

    def start(self):
        """Start it, again at the same port after `stop`."""
        self._log = self.log_path.open("ab")
        self._process = subprocess.Popen(
            [*self._command(), *self.options],
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
        )
        self.pid = self._process.pid
        self._wait()

    def _command(self):
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"),
            *(
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
            ),
        ]

    def _environment(self, folder):
        config = folder / "config"
        overrides = config / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(NO_NEWS))
        own = {
            "JUPYTER_CONFIG_DIR": str(config),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": str(ROOT),
        }
        return os.environ | own | extension_settings(folder)

    def _wait(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={self.token}"):
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise TimeoutError("JupyterLab did not start")

    def open_lab(self, page):
        """JupyterLab without a notebook."""
        page.goto(f"{self.url}/lab?token={self.token}&reset")
        page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        page.evaluate("() => window.jupyterapp.restored.then(() => null)")

    def stop(self):
        self.spare = None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def end_kernels(self, seconds=30):
        deadline = time.monotonic() + seconds
        while kernels := self._kernels():
            assert time.monotonic() < deadline, kernels
            for kernel in kernels:
                # The server refuses to end one that is just starting or ending.
                with contextlib.suppress(urllib.error.HTTPError):
                    self._ask("DELETE", f"kernels/{kernel['id']}")

    def _kernels(self):
        """Those that are not kept warm. The server fails to list one that is just ending."""
        while True:
            with contextlib.suppress(urllib.error.HTTPError):
                return [each for each in self._ask("GET", "kernels") if each["id"] != self.spare]

    def warm_kernel(self, name):
        """Give a notebook the kernel that is warm, and have the next one get warm meanwhile."""
        startup = Path(self.environment["IPYTHONDIR"], "profile_default", "startup")
        startup.mkdir(parents=True, exist_ok=True)
        (startup / "warm.py").write_text(WARM)  # IPython runs what is in there
        kernel = self.spare or self._start_kernel()
        wanted = {"path": name, "name": name, "type": "notebook", "kernel": {"id": kernel}}
        self._ask("POST", "sessions", wanted)
        self.spare = self._start_kernel()

    def _start_kernel(self):
        return self._ask("POST", "kernels", {"name": "python3", "path": ""})["id"]

    def _ask(self, method, what, body=None):
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/{what}", data, method=method, headers=headers
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def write(self, name, cells):
        """A notebook with these code cells."""
        notebook = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = self.root / name
        path.write_text(json.dumps(notebook))
        return path
