"""The benchmarks still run, and what they print is a table. How fast it is, they say themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil")

from tests.benchmarks.picture import curves
from tests.benchmarks.sightings import Change, delays_ms, in_sight, percentile
from tests.jupyter.jupyter_server import HOW_TO_INSTALL, chromium_path

CAPTURED = {"capture_output": True, "text": True, "timeout": 200}
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
    light = ["events", "find", "payloads", "csv", "compare", "import"]
    sizes = ["--sizes", "200", "1000"]
    output = benchmarks("--only", *light, *sizes, "--folder", str(tmp_path), "--json", str(file))
    cells = table(output)
    assert cells[0] == ["what", "reach", "aim", "worst round / median", ""]
    told = " ".join(row[0] for row in cells)
    for what in (
        "lab.events",
        "lab.find",
        "lab.payloads",
        "lab.export",
        "compare",
        "import webhooklab",
    ):
        assert what in told
    figures = json.loads(file.read_text())
    assert figures["machine"]["cores"]
    assert all(row["rounds"] for row in figures["rows"])
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
    drawn = [sys.executable, "-m", "tests.benchmarks.picture", file, tmp_path / "growth"]
    subprocess.run(drawn, cwd=ROOT, check=True)
    for theme in ("light", "dark"):
        assert (tmp_path / f"growth-{theme}.png").read_bytes().startswith(b"\x89PNG")


def test_curves_have_the_medians_by_number_of_rows():
    figures = {
        "lab.events, cold, 1,000 rows, s": [3.0, 1.0, 2.0],
        "lab.events, cold, 10,000 rows, s": [9.0],
        "compare, 1,000 events and snapshots, versions are counters, s": [5.0],
        "inbox, 100 deliveries/s, frames/s": [60.0],
    }
    assert curves(figures) == {
        "lab.events, cold, s": {1_000: 2.0, 10_000: 9.0},
        "compare, versions are counters, s": {1_000: 5.0},
    }


def test_a_forward_to_a_dead_target_is_measured_against_none():
    cells = table(benchmarks("--only", "forward", "--seconds", "0.2"))
    told = [row[0] for row in cells if ", against no forward" in row[0]]
    assert [each.partition(", against")[0].partition("with ")[2] for each in told] == [
        "a forward to nobody",
        "a forward to one that hangs",
    ]


def test_capture_is_measured_against_a_contender_and_loses_nothing():
    options = ("--only", "capture", "--against", "tornado-callback", "--seconds", "0.2")
    output = benchmarks(*options)
    told = [row[0] for row in table(output)]
    assert "durable capture against tornado-callback (signed)" in told
    assert "leaves out the capture of plain JSON" in output  # nothing is skipped silently


def test_what_verifying_adds_is_measured_on_signatures_that_hold():
    (measured,) = [row for row in table(benchmarks("--only", "verifying")) if "verified" in row[0]]
    assert float(measured[3].split()[0]) > 0


def test_a_listener_in_its_process_and_retention_are_measured():
    output = benchmarks("--only", "busy-process", "retention", "--seconds", "0.2")
    told = {row[0]: row[3] for row in table(output) if len(row) > 3}
    for cell in ("computing", "in C calls that hold the GIL"):
        assert f"capture, listener in its process, kernel {cell}, against idle" in told
    assert "from commit until `lab.wait` returns, listener in a process" in told
    assert "capture while older deliveries are dropped, against capture alone" in told
    assert "nothing left to drop" not in output


def test_a_relay_is_measured():
    told = {row[0]: row[3] for row in table(benchmarks("--only", "relay")) if len(row) > 3}
    for who in ("no reader", "a reader answers"):
        what = f"durable, posted to the relay, {who}, against posted to the listener"
        assert float(told[what].split()[0]) > 0
    assert "relay's memory for 10,000 idle channels" in told
    assert "... and for each of 1,000 that are connected, and idle" in told


def test_a_poll_is_measured_and_writes_one_row():
    cells = table(benchmarks("--only", "poller"))
    figures = {row[0]: row[3] for row in cells if len(row) > 3}
    what = "a poll of 1,000 entities, one of them changed"
    assert figures[f"{what}: rows of `lab.snapshots` written"] == "1 / 1"
    assert float(figures[f"{what}, against GET + `json.loads`"].split()[0]) > 0


@pytest.mark.timeout(240)
@pytest.mark.skipif(chromium_path() is None, reason=HOW_TO_INSTALL)
def test_the_inbox_is_measured_in_a_browser_and_shows_every_row(tmp_path):
    pytest.importorskip("playwright", reason=HOW_TO_INSTALL)
    file = tmp_path / "figures.json"
    only = ["capture", "inbox", "inbox-memory"]
    options = ["--against", "webhooklab-inbox-open", "--sizes", "500", "--seconds", "0.2"]
    benchmarks("--only", *only, *options, "--json", str(file))
    told = json.loads(file.read_text())
    rows = {row["what"]: row["median"] for row in told["rows"]}
    for rate in ("1", "100", "1,000"):
        scene = f"inbox, {rate} deliveries/s"
        assert rows[f"{scene}: share of them shown"] == 1
        assert 1 < rows[f"{scene}: sent to visible, p50"] < 10_000
        assert rows[f"{scene}: bytes over the websocket, against bytes captured"] > 1
    assert "browser memory above an empty inbox, 500 live captures" in rows
    assert told["figures"]["webhooklab-inbox-open (signed), requests/s"][0] > 0


def changed(at, *seqs, rows=None):
    return Change(at, len(seqs) if rows is None else rows, frozenset(seqs))


def test_a_row_is_seen_once_the_table_has_it_and_all_before_it():
    noted = [changed(1.0, 1), changed(1.5, 1, 3), changed(2.0, 1, 2, 3), changed(4.0, 9, rows=9)]
    sent = {1: 0.9, 2: 0.9, 3: 0.9, 5: 3.0, 10: 3.0}
    assert delays_ms(sent, noted) == pytest.approx([100, 1_100, 1_100, 1_000])  # 10 never
    assert in_sight(sent, noted) == 3


def test_percentiles_are_values_that_were_measured():
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([], 0.99) == float("inf")


def test_a_contender_that_is_not_installed_is_named(tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # sees no packages
    bare.chmod(0o755)
    options = ("--only", "capture", "--against", "mitmproxy", "--seconds", "0.2")
    output = benchmarks(*options, "--peers-python", str(bare))
    assert "Note: skipped mitmproxy: mitmproxy is not installed." in output
