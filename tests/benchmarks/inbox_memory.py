"""A browser's memory after so many deliveries that came live, against an empty inbox.

The kernel stores them past HTTP, as fast as it can: the inbox shows them as they come, live.
The last 20,000 come with bodies of 3.6 KB, slowly enough for all of them to be pushed, so that the
page then holds as much as it ever does: 20,000 rows, and 64 MB of bodies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.browser import (
    HELD_ROWS,
    Desk,
    desk,
    heap_megabytes,
    wait_until_held,
    wait_until_listening,
)
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import Row, Target
from tests.jupyter.lab_page import NotebookPage

SPENT = Target(200.0, 100.0, at_least=False, unit=" MB")
MEGABYTES = Target(at_least=False, unit=" MB")
OWED_FROM = 1_000_000
QUICK_ROWS = 250
BODY_BYTES, BODIES_PER_SECOND = 3_600, 500
SETTLE_MS, SAMPLE_MS = 1_000, 500
SETUP = """
from tests.benchmarks.corpora import fill_paced, flood
from webhooklab import Lab
lab = Lab({path!r})
"""
FILL = "flood(lab._parts.store, {size} - lab.head)"
FILL_BODIES = "fill_paced(lab._parts.store, {count}, {body_bytes}, {per_second})"


@benchmark("inbox-memory")
def inbox_memory(run: Run) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(dir=run.folder) as folder, desk(run) as found:
        if found is not None:
            yield from _measure(run, found, Path(folder, "captures.db"))


def _measure(run: Run, found: Desk, path: Path) -> Iterator[Row]:
    sizes, last = sorted(run.sizes), QUICK_ROWS if run.quick else HELD_ROWS
    bodies = FILL_BODIES.format(count=last, body_bytes=BODY_BYTES, per_second=BODIES_PER_SECOND)
    fills = [FILL.format(size=size) for size in sizes]
    notebook = found.open(SETUP.format(path=str(path)), "lab", *fills, bodies)
    notebook.run(0)
    notebook.run(1)
    wait_until_listening(notebook.page)
    page = Spent(run, found, notebook)
    for cell, size in enumerate(sizes, 2):
        spent = page.after(cell, size)
        what = f"browser memory above an empty inbox, {size:,} live captures"
        yield Row(what, [spent], SPENT if size >= OWED_FROM else MEGABYTES)
    spent = page.after(len(fills) + 2, sizes[-1] + last)
    what = f"the same, after {last:,} more with 3.6 KB of body each"
    yield Row(what, [spent], SPENT if sizes[-1] >= OWED_FROM else MEGABYTES)


class Spent:
    """What a page's memory has grown by since this was made."""

    def __init__(self, run: Run, found: Desk, notebook: NotebookPage) -> None:
        self._run = run
        self._found = found
        self._notebook = notebook
        self._empty = self._settled("empty")

    def after(self, cell: int, rows: int) -> float:
        """MB, once a cell has run that makes the inbox's rows so many."""
        self._notebook.start(cell)
        most = 0.0
        while self._notebook.is_running(cell):
            most = max(most, self._found.renderer_megabytes() - self._empty)
            self._notebook.page.wait_for_timeout(SAMPLE_MS)
        self._notebook.finish(cell)
        if not wait_until_held(self._notebook.page, rows):
            raise AssertionError(f"the page does not show the newest of {rows:,} rows")
        self._run.keep({f"browser memory, most on the way to {rows:,} rows": [most]}, "MB")
        return self._settled(f"{rows:,} rows") - self._empty

    def _settled(self, name: str) -> float:
        self._notebook.page.wait_for_timeout(SETTLE_MS)
        for what, figure in heap_megabytes(self._notebook.page).items():
            unit = "count" if what == "nodes" else "MB"
            self._run.keep({f"page with {name}, {what}": [figure]}, unit)
        return self._found.renderer_megabytes()
