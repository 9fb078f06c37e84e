"""The benchmarks still run, and what they print is a table. How fast it is, they say themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil")

CAPTURED = {"capture_output": True, "text": True, "timeout": 100}
ROOT = Path(__file__).parents[1]


def benchmarks(*options):
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--rounds", "1", *options]
    done = subprocess.run(command, cwd=ROOT, check=False, **CAPTURED)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(output):
    lines = [line for line in output.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_light_ones_run_and_print_a_table(tmp_path):
    file = tmp_path / "figures.json"
    light = ["events", "find", "payloads", "csv", "import"]
    sizes = ["--sizes", "200", "1000"]
    output = benchmarks("--only", *light, *sizes, "--folder", str(tmp_path), "--json", str(file))
    cells = table(output)
    assert cells[0] == ["what", "reach", "aim", "worst round / median", ""]
    told = " ".join(row[0] for row in cells)
    for what in ("lab.events", "lab.find", "lab.payloads", "lab.export", "import webhooklab"):
        assert what in told
    figures = json.loads(file.read_text())
    assert figures["machine"]["cores"]
    assert all(row["rounds"] for row in figures["rows"])
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


def test_capture_is_measured_against_a_contender_and_loses_nothing():
    options = ("--only", "capture", "--against", "tornado-callback", "--seconds", "0.2")
    output = benchmarks(*options)
    told = [row[0] for row in table(output)]
    assert "durable capture against tornado-callback (signed)" in told
    assert "leaves out the capture of plain JSON" in output  # nothing is skipped silently


def test_a_contender_that_is_not_installed_is_named(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # sees no packages
    bare.chmod(0o755)
    options = ("--only", "capture", "--against", "mitmproxy", "--seconds", "0.2")
    output = benchmarks(*options, "--peers-python", str(bare))
    assert "Note: skipped mitmproxy: mitmproxy is not installed." in output
