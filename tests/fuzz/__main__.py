"""`python -m tests.fuzz --seconds 600`: look for what breaks a target, and show the example."""

import argparse
import logging
import sys
import traceback

from tests.fuzz import every  # noqa: F401 - each module registers its targets
from tests.fuzz.registry import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="for all targets together")
    parser.add_argument("--only", nargs="+", choices=list(TARGETS), metavar="TARGET")
    parser.add_argument("--seed", type=int, help="where to begin, as a failure has told")
    asked = parser.parse_args()
    logging.disable()
    names = asked.only or list(TARGETS)
    failed = [name for name in names if not _search(name, asked.seconds / len(names), asked.seed)]
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _search(name: str, seconds: float, seed: int | None) -> bool:
    try:
        tried, took = TARGETS[name].search(seconds, seed)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print(f"{name:28} FAILED, see above", flush=True)
        return False
    print(f"{name:28} {tried:>9,} executions, {tried / took:>7,.0f}/s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
