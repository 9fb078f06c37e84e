"""`python -m tests.soak`: send for a long time, and find what grows, slows down or is lost."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.browser import HELD_ROWS
from tests.benchmarks.machine import machine
from tests.soak import table
from tests.soak.bounds import Finding, findings
from tests.soak.course import Course
from tests.soak.place import Place, place


def main() -> int:
    asked = _arguments()
    os.environ.setdefault("TQDM_DISABLE", "1")
    # Told to end, it still removes its files and ends its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="webhooklab-soak-", dir=asked.folder) as folder:
        print(", ".join(f"{name} {value}" for name, value in machine(Path(folder)).items()))
        with place(Path(folder), asked.first_cell) as there:
            found = _soak(there, asked)
    print(table.verdict(found))
    return 0 if all(each.holds for each in found) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=60.0, help="how long is sent")
    add("--rate", type=float, default=200.0, help="deliveries a second")
    add("--interval", type=float, default=60.0, metavar="SECONDS", help="of a row of the table")
    add("--folder", metavar="PATH", help="where the capture file goes (removed afterwards)")
    add("--first-cell", default="", metavar="CODE", help="the notebook runs it: something to find")
    return parser.parse_args()


def _soak(there: Place, asked: argparse.Namespace) -> list[Finding]:
    count = max(4, round(60 * asked.minutes / asked.interval))
    course, intervals = Course(there, asked.rate, asked.interval, count), []
    print(table.head(), flush=True)
    for each in course:
        intervals.append(each)
        print(table.line(each, asked.interval), flush=True)
    lost = len(course.acknowledged - there.stored(HELD_ROWS).keys())
    errors, connections = len(there.errors), there.connections()
    return findings(intervals, lost=lost, errors=errors, connections=connections)


if __name__ == "__main__":
    sys.exit(main())
