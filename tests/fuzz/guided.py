"""`python -m tests.fuzz.guided interpretations --seconds 120`: go on from what led somewhere new.

libFuzzer, which atheris brings (the extra `fuzz`; Linux on x86-64), keeps each input that reached
code that none before had reached, and changes those. For the targets of `raw.py`, one at a time. It
ends at the first input that breaks the target, and says in which file that is: `--again FILE`.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["webhooklab", "multipart"]):
    from tests.fuzz import every  # noqa: F401 - each module registers its targets
    from tests.fuzz.raw import RAW
    from tests.fuzz.registry import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("target", choices=list(RAW), metavar="TARGET", help=", ".join(RAW))
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--again", type=Path, metavar="FILE", help="try this input, and no other")
    asked = parser.parse_args()
    logging.disable()
    target, raw = TARGETS[asked.target], RAW[asked.target]
    with target.staged() as staged:
        if asked.again:
            target.check(raw.read(asked.again.read_bytes()), *staged)
            return
        folder = _beginning(raw.begun(*staged))
        options = [f"-max_total_time={asked.seconds}", f"-seed={asked.seed}", "-max_len=8192"]
        atheris.Setup(
            [sys.argv[0], *options, f"-artifact_prefix={folder.parent}/", str(folder)],
            lambda data: target.check(raw.read(data), *staged),
        )
        atheris.Fuzz()


def _beginning(wholes) -> Path:
    """A folder with a file for each; beside it is what breaks the target."""
    folder = Path(tempfile.mkdtemp(prefix="webhooklab-fuzz-"), "reached")
    folder.mkdir()
    for number, whole in enumerate(wholes):
        (folder / f"{number}").write_bytes(whole)
    return folder


if __name__ == "__main__":
    main()
