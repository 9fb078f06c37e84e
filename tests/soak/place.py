"""Where the deliveries go: a Lab in a kernel, its inbox in a page, and what both hold by now."""

from __future__ import annotations

import ast
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.browser import (
    HELD_ROWS,
    Desk,
    desk,
    heap_megabytes,
    wait_until_held,
    wait_until_listening,
)
from tests.benchmarks.registry import Run
from tests.benchmarks.sightings import WATCH
from tests.benchmarks.stage import FIRST_CELL, OPEN_CELL
from tests.jupyter.jupyter_server import HOW_TO_INSTALL

COUNTS = "len(__import__('comm').get_comm_manager().comms), __import__('sys').getallocatedblocks()"
"""What only the kernel knows: its comms, and all that Python has allocated and not let go of."""
ASK = """async (expression) => {
    const panel = window.jupyterapp.shell.currentWidget;
    const asked = panel.sessionContext.session.kernel.requestExecute({
        code: '', store_history: false, user_expressions: { told: expression },
    });
    const told = (await asked.done).content.user_expressions.told;
    return told.status === 'ok' ? told.data['text/plain'] : told.evalue;
}"""
"""Unlike a cell that runs, it leaves nothing behind in the notebook or in the kernel."""


@dataclass(frozen=True)
class Holding:
    """What the kernel and the page hold at one time; memory in MB.

    `kernel`, `server`: what is resident of the kernel's process and of JupyterLab's. `blocks`: of
    memory that Python has allocated in the kernel, in thousands. `objects`, `buffers`: the page's
    JavaScript heap and its array buffers, after a collection. `nodes`: of the page's DOM.
    `threads`, `files` (descriptors, but for senders' connections) and `comms` are the kernel's.
    """

    kernel: float
    server: float
    blocks: float
    objects: float
    buffers: float
    nodes: float
    threads: float
    files: float
    comms: float


class Place:
    """A Lab on a new file that has as many rows as a page holds. `first`: a cell run before."""

    def __init__(self, found: Desk, path: Path, first: str = "") -> None:
        self._uri = f"{path.resolve().as_uri()}?mode=ro"
        opening = FIRST_CELL + OPEN_CELL.format(path=str(path), filled=HELD_ROWS)
        self._notebook = found.open(opening, first, "lab")
        pid, url = self._notebook.run(0, 120).split()[-2:]
        self.port = int(url.rsplit(":", 1)[1].strip("/"))
        self._kernel, self._server = psutil.Process(int(pid)), psutil.Process(found.server.pid)
        if first:
            self._notebook.run(1)
        self._notebook.run(2)
        wait_until_listening(self.page)
        wait_until_held(self.page, HELD_ROWS)
        self.page.evaluate(WATCH)

    @property
    def page(self) -> Any:
        return self._notebook.page

    @property
    def errors(self) -> list[str]:
        """What the inbox's code has thrown in the page."""
        return list(self._notebook.errors)

    def holding(self) -> Holding:
        """What is held now."""
        heap = heap_megabytes(self.page)
        comms, blocks = ast.literal_eval(self.page.evaluate(ASK, COUNTS))
        return Holding(
            kernel=self._kernel.memory_info().rss / 2**20,
            server=self._server.memory_info().rss / 2**20,
            blocks=blocks / 1e3,
            objects=heap["objects"],
            buffers=heap["buffers"],
            nodes=heap["nodes"],
            threads=self._kernel.num_threads(),
            files=self._kernel.num_fds() - self.connections(),
            comms=comms,
        )

    def connections(self) -> int:
        """How many connections of senders the kernel has."""
        held = self._kernel.net_connections("tcp")
        return sum(each.laddr.port == self.port and bool(each.raddr) for each in held)

    def stored(self, after: int) -> dict[int, int]:
        """By the numbers of samples, the seqs of their deliveries; of those above `after`."""
        with contextlib.closing(sqlite3.connect(self._uri, uri=True)) as file:
            rows = file.execute("SELECT event_id, seq FROM deliveries WHERE seq > ?", (after,))
            return {int(event_id.removeprefix("msg_")): seq for event_id, seq in rows}


@contextlib.contextmanager
def place(folder: Path, first: str = "") -> Iterator[Place]:
    """A place, gone afterwards; `SystemExit` where there is no browser."""
    run = Run(folder, sizes=())
    with run.closing, desk(run) as found:
        if found is None:
            raise SystemExit(HOW_TO_INSTALL)
        yield Place(found, folder / "captures.db", first)
