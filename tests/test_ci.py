"""What fails in CI is run once more, and only a race gets through by that, and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RACE = "Failed once, passed when repeated"

GOOD = "def test_good(): open('good', 'a').write('x')"
RACY = """
def test_racy():
    with open("runs", "a+") as runs:
        runs.write("x")
        runs.seek(0)
        assert len(runs.read()) > 1
"""
BAD = "def test_bad(): assert False"
SKIPPED = "import pytest\ndef test_skipped(): pytest.skip('no browser')"
CRASH = "import os\ndef test_crash(): os._exit(1)"
INTERRUPTED = "def test_interrupted(): raise KeyboardInterrupt"


@pytest.fixture
def ci(tmp_path):
    """Runs `.ci/tests` on tests with the texts given; returns its status and what it says."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    own = {"WEBHOOKLAB_CI": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}

    def run(*texts):
        for number, text in enumerate(texts):
            (tmp_path / f"test_{number}.py").write_text(text)
        done = subprocess.run(
            [ROOT / ".ci/tests", sys.executable, "-q"],
            cwd=tmp_path,
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_a_race_gets_through_and_is_named_and_only_it_is_run_again(ci, tmp_path):
    status, said = ci(GOOD, RACY)
    assert status == 0, said
    assert said.endswith(f"{RACE}: a race to mend\ntest_1.py::test_racy\n")
    assert (tmp_path / "good").read_text() == "x"
    assert (tmp_path / "runs").read_text() == "xx"


def test_what_fails_twice_fails(ci):
    status, said = ci(RACY, BAD)
    assert status == 1
    assert RACE not in said


@pytest.mark.parametrize("wrong", [CRASH, INTERRUPTED])
def test_a_run_that_was_broken_off_fails(ci, wrong):
    status, said = ci(RACY, wrong)
    assert status not in (0, 1)
    assert RACE not in said


def test_what_was_not_run_fails_whatever_passes_the_second_time(ci, tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.conftest import *")
    status, said = ci(RACY, SKIPPED)
    assert status not in (0, 1)
    assert "CI must run these" in said
    assert (tmp_path / "runs").read_text() == "x"
