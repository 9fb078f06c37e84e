"""What tests have left behind: processes of theirs, ports and locks of this one."""

import os
from collections.abc import Iterator

import psutil

MARK = "WEBHOOKLAB_TESTS"
"""In the environment of whatever the tests start, and of what that starts, with the run's value."""
PATIENCE_SECONDS = 20.0
"""For what is just ending."""


def left_behind(patience: float = PATIENCE_SECONDS) -> list[str]:
    """In words, each; nothing where all is as it was. `patience` in seconds."""
    _, alive = psutil.wait_procs(list(_processes()), patience)
    return [*map(_told, alive), *_held()]


def end_all() -> None:
    """End what the run has started, by its process id."""
    for process in _processes():
        process.kill()


def _processes() -> Iterator[psutil.Process]:
    """Those of this run, whoever has them for a child by now."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(MARK) == os.environ[MARK]
            ended = process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if ours and not ended and process.pid not in (os.getpid(), os.getppid()):
            yield process


def _told(process: psutil.Process) -> str:
    try:
        return f"process {process.pid}: {' '.join(process.cmdline())[:300]}"
    except psutil.Error:
        return f"process {process.pid}, which has ended just now"


def _held() -> Iterator[str]:
    here = psutil.Process()
    for connection in here.net_connections("inet"):
        if connection.status == psutil.CONN_LISTEN:
            yield f"port {connection.laddr.port} is listened at"
    for file in here.open_files():
        if file.path.endswith("-lock"):
            yield f"{file.path} is held"
