"""Labs in processes of their own, to look at from outside and to kill."""

import json
import os
import signal
import subprocess
import sys
from typing import Any, Self

_OWNER = """
import json, sys
from webhooklab.lab import Lab
lab = Lab(sys.argv[1], **json.loads(sys.argv[2]))
print(json.dumps({"url": lab.url, "attached": lab.attached, "head": len(lab)}), flush=True)
for line in sys.stdin:
    exec(line)
"""

_NURSERY = """
import json, os, sys, signal
from webhooklab.lab import Lab
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if os.fork() == 0:
        lab = Lab(json.loads(line))
        print(json.dumps({"url": lab.url, "pid": os.getpid()}), flush=True)
        signal.pause()
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

    def __init__(self, file: object, **options: Any) -> None:
        super().__init__(_OWNER, str(file), json.dumps(options))
        told = self.hear()
        self.url, self.attached, self.head = told["url"], told["attached"], told["head"]


class Nursery(Process):
    """Makes Labs by forking, so that a new one costs no imports. Start it before any threads."""

    def __init__(self) -> None:
        super().__init__(_NURSERY)

    def born(self, file: object) -> tuple[str, int]:
        """A new process that listens for the file: its URL and pid."""
        self.say(json.dumps(str(file)))
        told = self.hear()
        return told["url"], told["pid"]
