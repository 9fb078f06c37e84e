"""A Lab in a kernel of JupyterLab, its inbox open in a browser or not: a contender like others."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.browser import Desk, desk, wait_until_listening
from tests.benchmarks.processes import load_on
from tests.benchmarks.registry import Run

OPEN, CLOSED = "webhooklab-inbox-open", "webhooklab-inbox-closed"
SETUP = "from webhooklab import Lab\nlab = Lab({path!r})\nprint(lab.url)"


class KernelLab:
    """Either way a page of JupyterLab has its notebook open; the inbox is a cell's output."""

    def __init__(self, found: Desk, name: str, path: Path) -> None:
        self.name = name
        self.acknowledged = 0
        self._notebook = found.open(SETUP.format(path=str(path)), "lab", "len(lab)")
        url = self._notebook.run(0).split()[-1]
        self.port = int(url.rsplit(":", 1)[1].strip("/"))
        if name == OPEN:
            self._notebook.run(1)
            wait_until_listening(self._notebook.page)

    def load(self, *options: str) -> dict[str, Any]:
        """Send to it, from another process; what the sender counted."""
        return load_on(self.name, self.port, *options)

    def ask(self, command: str) -> Any:
        """How many deliveries it has stored: there is nothing else to ask."""
        assert command == "count"
        return int(self._notebook.run(2))


@contextlib.contextmanager
def kernel_labs(run: Run, names: Sequence[str]) -> Iterator[list[KernelLab]]:
    """Those that are wanted, each in a kernel of its own; none where there is no browser."""
    wanted = [name for name in names if not run.against or name in run.against]
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(desk(run)) if wanted else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=run.folder)))
        yield [KernelLab(found, name, folder / f"{name}.db") for name in wanted if found]
