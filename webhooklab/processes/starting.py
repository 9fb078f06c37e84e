"""Starting the process that listens: what it is told, and what it says before it is on its own.

What it is told goes through its standard input: nobody else on the machine can read that, as they
can a command line or an environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from webhooklab.defaults import PROCESS_START_SECONDS
from webhooklab.errors import ListenerProcessError
from webhooklab.processes.peers import error_of

# The same code as this kernel's, wherever that is; all else from where Python finds it. (`-P`, at
# the call: a file of the user's that happens to be called `queue.py` is not what anybody means.)
_CODE: Final = (
    "import importlib, sys, typing; sys.path.insert(0, sys.argv[1]); import webhooklab; "
    "del sys.path[0]; from webhooklab.standalone import main; main()"
)
_PACKAGE: Final = str(Path(__file__).resolve().parents[2])
_SHOWN_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the process is to listen: `options` are the arguments of `Lab`, as JSON has them.

    `outlives`: not only for this kernel.
    """

    file: Path
    options: dict[str, Any]
    outlives: bool


def start(wish: Wish, stacklevel: int) -> None:
    """Start a process that listens; returns when it does. Raises what kept it from listening.

    It goes on by itself. What it warns of is a warning here; `stacklevel` as for `warnings.warn`.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as complaints:
        process = _started(complaints)
        assert process.stdin is not None
        told = {"path": str(wish.file), "options": wish.options, "outlives": wish.outlives}
        with process.stdin as stdin:
            stdin.write(json.dumps(told) + "\n")
        answer = _answer(process, complaints)
    # Nobody else waits for it, and what nobody waits for stays in the list of processes.
    threading.Thread(target=process.wait, name="webhooklab-reaper", daemon=True).start()
    if "error" in answer:
        raise error_of(answer["kind"], answer["error"])
    for warned in answer["warnings"]:
        warnings.warn(warned, stacklevel=stacklevel)


def _started(complaints: IO[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own code, by this interpreter
        [sys.executable, "-P", "-c", _CODE, _PACKAGE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal, or an interrupted cell, is not for it
    )


def _answer(process: subprocess.Popen[str], complaints: IO[str]) -> dict[str, Any]:
    """The one line that it says, for which it has some time."""
    timer = threading.Timer(PROCESS_START_SECONDS, process.kill)
    timer.start()
    assert process.stdout is not None
    with process.stdout as stdout:
        line = stdout.readline()
    timer.cancel()
    timer.join()
    if not line:
        process.kill()
        process.wait()
        complaints.seek(0)
        said = complaints.read()[-_SHOWN_CHARS:] or "nothing"
        raise ListenerProcessError(
            "The process that was to listen ended, or did not start within "
            f"{PROCESS_START_SECONDS:g} s. It said: {said}"
        )
    answer: dict[str, Any] = json.loads(line)
    return answer
