"""`python -m tests.benchmarks`: measures side by side, and prints ratios as a Markdown table."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.busy_process import PROCESS
from tests.benchmarks.contenders import SERVERS
from tests.benchmarks.kernel_lab import CLOSED, OPEN
from tests.benchmarks.machine import machine
from tests.benchmarks.registry import BENCHMARKS, Run
from tests.benchmarks.rows import Row

MODULES = (
    *("capture", "capture_growth", "verifying", "busy", "busy_process", "retention", "memory"),
    *("inbox", "inbox_memory", "events", "find", "payloads", "csv_export", "compare", "poller"),
    *("forward", "exposure", "relay", "imports"),
)
"""Each registers what it measures, in the order of the table."""
SIZES, QUICK_SIZES = [10_000, 100_000, 1_000_000], [1_000, 10_000]


def main() -> None:
    os.environ.setdefault("TQDM_DISABLE", "1")  # before anything loads tqdm
    for name in MODULES:
        importlib.import_module(f"tests.benchmarks.{name}")
    asked = _arguments()
    # Told to end, it still removes its files and ends its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="webhooklab-bench-", dir=asked.folder) as folder:
        run = Run(
            folder=Path(folder),
            sizes=asked.sizes or (QUICK_SIZES if asked.quick else SIZES),
            quick=asked.quick,
            against=asked.against and ["webhooklab", *asked.against],
            peers_python=asked.peers_python,
            seconds=asked.seconds or (0.3 if asked.quick else 3.0),
            rounds=asked.rounds or (1 if asked.quick else 5),
        )
        where = machine(run.folder)
        print(", ".join(f"{name} {value}" for name, value in where.items()), "\n", flush=True)
        with run.closing:
            rows = _measure(run, asked.only or list(BENCHMARKS))
    _print_figures(run)
    print(f"\nThe run took {time.monotonic() - start:.0f} s.")
    if asked.json:
        _write(Path(asked.json), where, run, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes, under a minute: a smoke test")
    add("--only", nargs="+", choices=list(BENCHMARKS), metavar="NAME", help=", ".join(BENCHMARKS))
    servers = [name for name in SERVERS if name not in ("webhooklab", "collection", PROCESS)]
    others = [*servers, OPEN, CLOSED]
    add("--against", nargs="+", default=[], choices=others, metavar="NAME", help=", ".join(others))
    add("--sizes", nargs="+", type=int, metavar="ROWS", help="rows in a capture file")
    add("--rounds", type=int, help="how often each is measured, in turns")
    add("--seconds", type=float, help="how long one load lasts")
    add("--peers-python", default=sys.executable, metavar="PATH", help="has fasthook, hookee, ...")
    add("--folder", metavar="PATH", help="where capture files go (removed afterwards)")
    add("--json", metavar="FILE", help="write all figures there")
    return parser.parse_args()


def _measure(run: Run, names: Sequence[str]) -> list[Row]:
    rows = []
    print("| what | reach | aim | worst round / median | |\n|---|---|---|---|---|", flush=True)
    for name in names:
        for row in BENCHMARKS[name](run):
            rows.append(row)
            print(_line(row), flush=True)
    return rows


def _line(row: Row) -> str:
    target = row.target
    measured = f"{_short(row.worst)} / {_short(row.median)}{target.unit}"
    cells = (row.what, target.text(target.reach), target.text(target.aim), measured, row.verdict)
    return f"| {' | '.join(cells)} |"


def _short(figure: float) -> str:
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.3g}"


def _print_figures(run: Run) -> None:
    print("\nFigures behind it, to be compared within this run only:\n")
    print("| figure | median |\n|---|---|")
    for name, values in run.figures.items():
        print(f"| {name} | {_short(statistics.median(values))} |")
    for note in run.notes:
        print(f"\nNote: {note}.")


def _write(path: Path, where: dict[str, str], run: Run, rows: Sequence[Row]) -> None:
    shown = [
        {
            "what": row.what,
            "reach": row.target.reach,
            "aim": row.target.aim,
            "rounds": list(row.figures),
            "median": row.median,
            "verdict": row.verdict,
        }
        for row in rows
    ]
    whole = {"machine": where, "rows": shown, "figures": run.figures, "notes": run.notes}
    path.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
