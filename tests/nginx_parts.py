"""A real nginx on a free port of this machine."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.raw_server import free_port
from tests.waiting import until

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


class Nginx:
    """nginx with the `server` block that `block` gives for its port."""

    def __init__(self, folder: Path, block: Callable[[int], str]) -> None:
        self.port = free_port()
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{each}_temp_path {folder}/{each};\n" for each in places)
        user = "user root;\n" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"{user}daemon off; worker_processes 1; pid {folder}/nginx.pid;\n"
            f"error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log off; {temporary} {block(self.port)} }}\n"
        )
        self._process = subprocess.Popen(
            [NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        )
        until(self._answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        assert self._process.poll() is None, "nginx ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:  # it waits for links to end
            self._process.terminate()
            self._process.wait(10)
