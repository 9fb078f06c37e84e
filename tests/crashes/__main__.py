"""`python -m tests.crashes --rounds 200`: kill all that captures, and count what is lost."""

import argparse
import os
import secrets
import sys
import tempfile

from tests.crashes import every  # noqa: F401 - each module registers its scenarios
from tests.crashes.rounds import Tally, run
from tests.crashes.scenario import SCENARIOS

COLUMNS = ("rounds", "kills", "sent", "acknowledged", "unanswered", "noticed")
FINDINGS = ("lost", "altered", "invented", "repeated")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of each scenario")
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--seed", type=int, help="as an earlier run has told")
    asked = parser.parse_args()
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    print(f"--seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="crashes-state-") as state:
        # No listener of the user's is seen, and none of ours is left with theirs.
        os.environ["XDG_STATE_HOME"] = state
        tallies = [run(name, asked.rounds, seed, _say) for name in asked.only or SCENARIOS]
    print(overview(tallies))
    return 0 if all(tally.good for tally in tallies) else 1


def _say(line: str) -> None:
    print(line, flush=True)


def overview(tallies: list[Tally]) -> str:
    """A table: a row for each scenario, and below it what was wrong."""
    lines = [_row("", *COLUMNS, *FINDINGS, "seconds")]
    for tally in tallies:
        counts = [f"{getattr(tally, column):,}" for column in COLUMNS]
        found = [f"{len(getattr(tally.findings, finding)):,}" for finding in FINDINGS]
        lines.append(_row(tally.scenario, *counts, *found, f"{tally.seconds:.0f}"))
        lines += [
            f"    {finding}: {', '.join(sorted(names)[:10])}"
            for finding in FINDINGS
            if (names := getattr(tally.findings, finding))
        ]
    good = sum(tally.good for tally in tallies)
    return "\n".join([*lines, f"{good} passed, {len(tallies) - good} failed"])


def _row(name: str, *cells: str) -> str:
    return f"{name:33}" + "".join(f"{cell:>13}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
