"""Where it was measured: the machine's size, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = ("tornado", "pandas", "pyarrow", "orjson", "fastapi", "uvicorn", "httptools", "flask")


def machine(folder: Path) -> dict[str, str]:
    """What to say above the table. `folder` is where capture files are written."""
    return {
        "cores": f"{os.cpu_count()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "captures on": _file_system(folder),
        "load before": " ".join(f"{each:.1f}" for each in os.getloadavg()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: _version(name) for name in (*PACKAGES, "aiohttp", "webhook-replay")},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _file_system(folder: Path) -> str:
    mounts = {each.mountpoint: each.fstype for each in psutil.disk_partitions(all=True)}
    path = folder.resolve()
    while str(path) not in mounts and path != path.parent:
        path = path.parent
    return mounts.get(str(path), "unknown")
