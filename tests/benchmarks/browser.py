"""A real JupyterLab with a headless Chromium in front of it, and what its pages cost.

Notebooks are opened in the browser, their cells run in kernels of their own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.registry import Run
from tests.jupyter.jupyter_server import HOW_TO_INSTALL, QUIET, JupyterServer, chromium_path
from tests.jupyter.lab_page import NotebookPage

EXCHANGES = 50
HELD_ROWS = 20_000
"""So many rows a page holds: from then on each new one takes the place of an old one."""
COUNT_WEBSOCKET_BYTES = """
    window.socketBytes = 0;
    window.WebSocket = new Proxy(window.WebSocket, {
        construct(of, given) {
            const socket = new of(...given);
            socket.addEventListener('message', ({ data }) =>
                (window.socketBytes += data.size ?? data.byteLength ?? data.length));
            return socket;
        },
    });
"""
"""What the page's websockets bring, counted in the page: handing each frame on to the debugger
(`Network.webSocketFrameReceived`) would take time from what is being timed."""
HOLDS = """() => {
    const cells = [...document.querySelectorAll('.whl-rows .whl-c-seq')];
    const rows = document.querySelector('.whl-grid').getAttribute('aria-rowcount') ?? 1;
    return [rows - 1, Math.max(0, ...cells.map((cell) => cell.textContent))];
}"""
"""How many rows the table has, and the newest seq."""


@dataclass
class Desk:
    """A JupyterLab and the browser that opens its notebooks."""

    server: JupyterServer
    browser: Any
    context: Any
    _names: Iterator[str] = field(default_factory=lambda: map("{}.ipynb".format, itertools.count()))

    def open(self, *cells: str) -> NotebookPage:
        """A notebook with these cells, open in a page, its kernel started."""
        name = next(self._names)
        self.server.write(name, cells)
        notebook = NotebookPage(self.server, self.context.new_page(), name)
        notebook.open()
        return notebook

    def clear(self) -> None:
        """Close all notebooks, and end their kernels."""
        for page in self.context.pages:
            page.close()
        self.server.end_kernels()

    def renderer_megabytes(self) -> float:
        """Memory that belongs to the pages' processes alone (USS), together."""
        return sum(each.memory_full_info().uss for each in self._renderers()) / 2**20

    def renderer_seconds(self) -> float:
        """Processor time that the pages' processes have used, together."""
        return sum(map(processor_seconds, self._renderers()))

    def _renderers(self) -> list[psutil.Process]:
        session = self.browser.new_browser_cdp_session()
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return [psutil.Process(each["id"]) for each in found if each["type"] == "renderer"]


def processor_seconds(process: psutil.Process) -> float:
    """What it has used: other than time, it says the same on a busy machine."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def desk(run: Run) -> Iterator[Desk | None]:
    """A run's desk, cleared afterwards; None, with a note, where there is no browser.

    Set up when it is first asked for, for the rest of the run: that takes many seconds.
    """
    if chromium_path() is None or importlib.util.find_spec("playwright") is None:
        run.note(f"skipped what needs a browser: {HOW_TO_INSTALL}")
        yield None
        return
    found = run.desk = run.desk or _set_up(run)
    try:
        yield found
    finally:
        found.clear()


def _set_up(run: Run) -> Desk:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an extra

    keep = run.closing.enter_context
    server = JupyterServer(Path(keep(tempfile.TemporaryDirectory(dir=run.folder))))
    run.closing.callback(server.stop)
    playwright = keep(sync_playwright())
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(QUIET))
    run.closing.callback(browser.close)
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    context.add_init_script(COUNT_WEBSOCKET_BYTES)
    return Desk(server, browser, context)


def wait_until_listening(page: Any) -> None:
    """Until the page's inbox has heard from its kernel."""
    page.get_by_text("Listening", exact=True).wait_for(timeout=60_000)


def wait_until_held(page: Any, rows: int, seconds: float = 60.0) -> bool:
    """Whether the page's inbox shows so many rows (or all that it holds), soon enough."""
    deadline = time.monotonic() + seconds
    while page.evaluate(HOLDS) != [min(rows, HELD_ROWS), rows]:
        if time.monotonic() > deadline:
            return False
        page.wait_for_timeout(50)
    return True


def clock_ahead(page: Any) -> tuple[float, float]:
    """How far the page's `performance.now()` is ahead of `time.monotonic()`, in s, and how exactly.

    One machine, one monotonic clock for all processes, counted from different zeros. Of many
    exchanges the shortest tells, to half its time.
    """
    best = (0.0, float("inf"))
    for _ in range(EXCHANGES):
        before = time.monotonic()
        there = page.evaluate("() => performance.now()") / 1e3
        after = time.monotonic()
        if (after - before) / 2 < best[1]:
            best = (there - (before + after) / 2, (after - before) / 2)
    return best


def heap_megabytes(page: Any) -> dict[str, float]:
    """A page's memory after a collection: JavaScript objects, buffers, what stands behind them."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    session.detach()
    names = {"objects": "usedSize", "buffers": "backingStorageSize", "DOM": "embedderHeapUsedSize"}
    sizes = {name: usage[of] / 2**20 for name, of in names.items() if of in usage}
    return sizes | {"nodes": float(nodes)}
