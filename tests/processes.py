"""Labs in processes of their own, to look at from outside and to kill."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

_OWNER = """
import json, sys
from webhooklab.lab import Lab
lab = Lab(sys.argv[1] or None, **json.loads(sys.argv[2]))
print(json.dumps({"url": lab.url, "attached": lab.attached, "head": len(lab)}), flush=True)
for line in sys.stdin:
    exec(line)
"""


class Process:
    """A Python process that is talked to in lines of JSON. `with` ends it."""

    def __init__(self, code: str, *args: str, **options: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self.pid = self._process.pid

    def say(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return json.loads(line)

    def kill(self) -> None:
        """As `kill -9`; returns when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> tuple[int, str]:
        """End its input and let it end; its exit code and what it complained of."""
        errors = self._process.communicate(timeout=30)[1]
        return self._process.returncode, errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()


class LabProcess(Process):
    """A process with a Lab. `say` has it run a line of Python."""

    def __init__(
        self,
        file: object,
        *,
        env: dict[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(_OWNER, str(file or ""), json.dumps(options), env=env)
        told = self.hear()
        self.url, self.attached, self.head = told["url"], told["attached"], told["head"]


_KERNELS = """
import json, os, signal, socket, sys
from webhooklab.lab import Lab
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if os.fork() == 0:
        break
else:
    sys.exit()
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
told = json.loads(line)
talk = socket.socket(socket.AF_UNIX)
talk.connect(told["address"])
lines = talk.makefile("r")
def say(value):
    talk.sendall(json.dumps(value).encode() + bytes([10]))
say(os.getpid())
lab = Lab(told["file"], **told["options"])
say({"url": lab.url, "attached": lab.attached, "head": lab.head})
for line in lines:
    exec(line)
"""


class Kernels(Process):
    """Makes processes with a Lab each, by forking: a new one costs no imports."""

    def __init__(self, folder: Path) -> None:
        super().__init__(_KERNELS)
        self._address = str(folder / "kernels")
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self._address)
        self._server.listen()
        self._born: list[Kernel] = []

    def born(self, file: object, **options: Any) -> "Kernel":
        """A new process with a Lab."""
        return self.begun(file, **options).ready()

    def begun(self, file: object, **options: Any) -> "Kernel":
        """A new process that is about to open a Lab."""
        told = {"address": self._address, "file": file and str(file), "options": options}
        self.say(json.dumps(told))
        self._born.append(Kernel(self._server.accept()[0]))
        return self._born[-1]

    def __exit__(self, *error: object) -> None:
        for each in self._born:
            each.end()
        self._server.close()
        super().__exit__(*error)


class Kernel:
    """One of them. `say` has it run a line of Python, in which `say` is heard by `hear`."""

    def __init__(self, talk: socket.socket) -> None:
        self._talk, self._lines = talk, talk.makefile("r")
        self.pid = self.hear()

    def ready(self) -> Self:
        """Wait until its Lab is open."""
        told = self.hear()
        self.url, self.attached, self.head = told["url"], told["attached"], told["head"]
        return self

    def say(self, line: str) -> None:
        self._talk.sendall(line.encode() + b"\n")

    def hear(self) -> Any:
        return json.loads(self._lines.readline())

    def ask(self, expression: str) -> Any:
        """What an expression is, as JSON has it."""
        self.say(f"say({expression})")
        return self.hear()

    def kill(self) -> None:
        """As `kill -9`."""
        os.kill(self.pid, signal.SIGKILL)
        self._lines.read()

    def end(self) -> None:
        """Let it end, as a kernel that is shut down; returns when its Lab has let go."""
        if self._talk.fileno() >= 0:
            with contextlib.suppress(OSError):
                self._talk.shutdown(socket.SHUT_WR)
            self._lines.read()
            self._lines.close()
            self._talk.close()
