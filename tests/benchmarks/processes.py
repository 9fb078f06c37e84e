"""Contenders in processes of their own: the parent's side. They end with the block."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.registry import Run

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0


class MissingError(Exception):
    """A contender is not installed."""


class Contender:
    """A running server. `with` ends it: it is told to, and killed if it does not."""

    def __init__(self, name: str, folder: Path, python: str = sys.executable) -> None:
        self.name = name
        self.acknowledged = 0
        folder.mkdir(parents=True, exist_ok=True)
        command = [python, "-m", "tests.benchmarks.contenders", name, str(folder)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> Self:
        """Raises `MissingError` when it is not installed."""
        said = self._hear()
        if "missing" in said:
            raise MissingError(said["missing"])
        self.port = int(said["port"])
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} does not listen")
            time.sleep(0.05)

    def ask(self, command: str) -> Any:
        """Give a command and return its result."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._hear()["result"]

    def load(self, *options: str) -> dict[str, Any]:
        """Send to it, from another process; what the sender counted."""
        return load_on(self.name, self.port, *options)

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended, with code {self._process.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said


def load_on(name: str, port: int, *options: str) -> dict[str, Any]:
    """Send to a port, from another process; what the sender counted."""
    command = [sys.executable, "-m", "tests.benchmarks.load", str(port), *options]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    counts: dict[str, Any] = json.loads(done.stdout)
    if counts["refused"]:
        raise RuntimeError(f"{name} refused {counts['refused']} requests")
    return counts


@contextlib.contextmanager
def running(run: Run, names: Sequence[str], peers: Sequence[str] = ()) -> Iterator[list[Contender]]:
    """Those of the contenders that are installed, all started; `peers` on their own Python."""
    wanted = [name for name in names if not run.against or name in run.against]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=run.folder)))
        started = []
        for name in wanted:
            python = run.peers_python if name in peers else sys.executable
            started.append(Contender(name, folder / name, python))
            stack.callback(started[-1].end)
        yield [each for each in started if _is_ready(run, each)]


def _is_ready(run: Run, contender: Contender) -> bool:
    try:
        contender.wait_until_ready()
    except MissingError as missing:
        run.note(f"skipped {contender.name}: {missing} is not installed")
        return False
    return True
