"""Known vulnerabilities of what is installed, as pip-audit's sources know them.

pip-audit takes a source that has no such package for one that knows no hole in it, and says "no
known vulnerabilities" with exit code 0: so does a package index that is a mirror, and has files
only. So here whoever has not answered about a package has not been asked.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

TIMEOUT_SECONDS = 120
SOURCES = (("--vulnerability-service", "pypi"), ("--vulnerability-service", "osv"))
"""Both tell what the Python Packaging Advisory Database has; the second is asked if need be."""


@dataclass(frozen=True)
class Told:
    """What a source has said. `holes`: ids by package. `silent`: of what it has said nothing."""

    holes: dict[str, list[str]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)
    clean: int = 0


def ask(packages: Mapping[str, str], *source: str) -> Told:
    """Have pip-audit ask one source about these versions."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "installed.txt")
        wanted.write_text("".join(f"{name}=={packages[name]}\n" for name in packages))
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(wanted), "--no-deps"]
        command += ["--disable-pip", "--progress-spinner=off", "--format=json", *source]
        command += ["--cache-dir", folder, "--timeout=10"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    try:
        entries = json.loads(done.stdout)["dependencies"]
    except ValueError:
        return Told(silent=list(packages))  # it could not ask, and has ended with a traceback
    return _told(entries, list(packages))


def _told(entries: Sequence[Mapping[str, object]], asked: Sequence[str]) -> Told:
    answers = {canonicalize_name(str(each["name"])): each.get("vulns") for each in entries}
    known = {name: answers.get(name) for name in asked}
    return Told(
        holes={name: [hole["id"] for hole in holes] for name, holes in known.items() if holes},
        silent=[name for name, holes in known.items() if holes is None],
        clean=sum(holes == [] for holes in known.values()),
    )


def verdict(told: Told) -> tuple[int, str]:
    """The exit code, and what to say. Nobody having answered is no fault of the code's."""
    if told.holes:
        holes = "\n".join(f"  {name}: {', '.join(ids)}" for name, ids in told.holes.items())
        return 1, f"Known vulnerabilities; raise the lower bounds in pyproject.toml:\n{holes}"
    if not told.clean:
        return 0, (
            "*** VULNERABILITIES WERE NOT CHECKED: no source of advisories has answered. ***\n"
            "This is not a clean bill. Run `python -m tests.dependencies` where one can be reached."
        )
    if told.silent:
        return 1, f"Not checked, though others were: {', '.join(told.silent)}"
    return 0, f"{told.clean} packages, no known vulnerabilities."
