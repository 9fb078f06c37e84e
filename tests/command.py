"""The command `webhooklab`, as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import webhooklab

ARGV = [sys.executable, "-c", "from webhooklab.cli import main; main()"]


def environment() -> dict[str, str]:
    """So that a process in another folder finds the package under test."""
    return {**os.environ, "PYTHONPATH": str(Path(webhooklab.__file__).resolve().parents[1])}


def run(*arguments, cwd, timeout=110):
    return subprocess.run(
        [*ARGV, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(*arguments, cwd, env=None):
    """`env`: instead of what this process and the package under test give it."""
    return subprocess.Popen(
        [*ARGV, *map(str, arguments)],
        cwd=cwd,
        env=(env or environment()) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line_with(process, text):
    """The next line of its output that has `text`."""
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without {text!r}: {process.stderr.read()}")
