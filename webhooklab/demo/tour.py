"""The notebooks as a tour: copied into a folder of the user's, opened, or run without a browser.

The door to nbclient and nbformat.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from webhooklab.demo.errors import TourError

CELL_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of one notebook. `error` None: all its cells ran."""

    name: str
    cells: int
    seconds: float
    error: str | None


def copy_notebooks(folder: Path) -> list[Path]:
    """Copy the notebooks into `folder`; those that are there already stay as they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in _packaged():
            if not (folder / notebook.name).exists():
                shutil.copyfile(notebook, folder / notebook.name)
    except OSError as error:
        raise TourError(
            f"The notebooks cannot be copied to {folder}: {error.strerror}. "
            "Name a folder that you can write to."
        ) from error
    return [folder / notebook.name for notebook in _packaged()]


def _packaged() -> list[Path]:
    """The notebooks in the wheel, or, in a checkout, beside the package."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "notebooks", here.parents[2] / "notebooks"):
        if found := sorted(folder.glob("*.ipynb")):
            return found
    raise TourError("This installation has no notebooks: install webhooklab again.")


def open_jupyterlab(
    notebook: Path, *, browser: bool, port: int | None, on_ready: Callable[[str], None]
) -> int:
    """Open JupyterLab on a notebook; returns its exit code, or 0 when the user has stopped it.

    JupyterLab ends with this call, whatever ends it: Ctrl-C and SIGTERM are taken alike.
    `on_ready` gets the notebook's URL, with its token, once JupyterLab answers.
    """
    _require("jupyterlab")
    port = port or _free_port()
    token = token_urlsafe(24)
    command = _command(notebook, port, browser=browser)
    # The token goes by the environment: a command line can be read by every user of the machine.
    with subprocess.Popen(command, env={**os.environ, "JUPYTER_TOKEN": token}) as jupyter:  # noqa: S603 - our own words
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            if _answers(jupyter, port):
                on_ready(f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?token={token}")
            return jupyter.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            jupyter.terminate()
            signal.signal(signal.SIGTERM, before)


def _command(notebook: Path, port: int, *, browser: bool) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyter", "lab", str(notebook)),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(() if browser else ("--no-browser",)),
        *(("--allow-root",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),
    ]


def _answers(jupyter: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until JupyterLab listens; False when it has ended instead."""
    while jupyter.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def execute(notebooks: list[Path]) -> Iterator[Executed]:
    """Run notebooks one after the other, in their folder, and save them with their outputs."""
    _require("nbclient")
    for notebook in notebooks:
        yield _execute(notebook)


def _execute(path: Path) -> Executed:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    started = time.monotonic()
    error = None
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as failure:
        error = str(failure).strip()
    nbformat.write(notebook, path)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    return Executed(path.name, cells, time.monotonic() - started, error)


def _require(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise TourError(
            f'{module} is not installed in this environment: run pip install "webhooklab[lab]".'
        )
