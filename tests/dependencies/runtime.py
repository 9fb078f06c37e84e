"""Which distributions `pip install "webhooklab[lab]"` brings, as they are installed here."""

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def declared() -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies, and those of the extra `lab`."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    return [
        Requirement(each)
        for each in (*project["dependencies"], *project["optional-dependencies"]["lab"])
    ]


def installed() -> dict[str, str]:
    """Name and version of each, and of what they need in turn."""
    extras: dict[str, set[str]] = {}
    waiting = declared()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in extras and wanted.extras <= extras[name]:
            continue
        extras.setdefault(name, set()).update(wanted.extras)
        waiting += _needed_by(name, extras[name])
    return {name: distribution(name).version for name in sorted(extras)}


def _needed_by(name: str, extras: set[str]) -> list[Requirement]:
    needed = [Requirement(each) for each in distribution(name).requires or []]
    return [
        each
        for each in needed
        if each.marker is None
        or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    ]
