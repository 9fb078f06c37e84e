"""What the way through the Jupyter server costs, against posting to the listener itself."""

from __future__ import annotations

import http.client
import os
import statistics
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.processes import load_on
from tests.benchmarks.registry import Run, benchmark
from tests.benchmarks.rows import NO_TARGET, Row, Target, in_turns, ratios
from tests.jupyter.jupyter_server import JupyterServer
from webhooklab import Lab

REQUESTS = 200
DIRECT, EXPOSED = "posted to the listener", "through the Jupyter server"
MILLISECONDS = Target(at_least=False, unit=" ms")
_SHARED = ("JUPYTER_RUNTIME_DIR", "XDG_STATE_HOME")


@benchmark("exposure")
def exposure(run: Run) -> Iterator[Row]:
    folder = Path(run.folder, "exposure")
    folder.mkdir()
    server = JupyterServer(folder)
    try:
        # This process passes for one of the server's kernels.
        os.environ |= {name: server.environment[name] for name in _SHARED}
        os.environ["JPY_PARENT_PID"] = str(server.pid)
        with Lab(folder / "captures.db") as lab:
            yield from _measure(run, {DIRECT: lab.url, EXPOSED: lab.expose().url})
    finally:
        server.stop()


def _measure(run: Run, urls: dict[str, str]) -> Iterator[Row]:
    speeds = {name: partial(speed, run, url) for name, url in urls.items()}
    figures = run.keep(in_turns(speeds, run.rounds), "requests/s")
    what = f"durable capture {EXPOSED}, against {DIRECT}"
    yield Row(what, ratios(figures[EXPOSED], figures[DIRECT]), NO_TARGET)
    waits = {name: partial(latency_ms, url) for name, url in urls.items()}
    times = run.keep(in_turns(waits, run.rounds), "ms, one sender, median")
    pairs = zip(times[EXPOSED], times[DIRECT], strict=True)
    yield Row(f"added {EXPOSED}, one sender", [this - that for this, that in pairs], MILLISECONDS)


def speed(run: Run, url: str) -> float:
    parts = urlsplit(url)
    assert parts.port is not None
    counts = load_on(url, parts.port, "--seconds", str(run.seconds), "--path", parts.path)
    return float(counts["answered"] / counts["seconds"])


def latency_ms(url: str) -> float:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port)
    took = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        connection.request("POST", parts.path, b'{"id": "evt_1"}')
        connection.getresponse().read()
        took.append(time.perf_counter() - begun)
    connection.close()
    return 1_000 * statistics.median(took)
