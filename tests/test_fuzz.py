"""A bounded part of the fuzzing, the same each time; `python -m tests.fuzz` goes on from there."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz import every  # noqa: F401 - each module registers its targets
from tests.fuzz.registry import TARGETS, Target

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_it(name):
    assert TARGETS[name].run() >= 20


def test_what_breaks_a_target_is_found_and_can_be_found_again():
    def check(number):
        assert number < 1_000

    with pytest.raises(AssertionError) as caught:
        Target(check, st.integers(), None, 100).search(60, 7)
    assert "example=1000" in "".join(caught.value.__notes__)
    assert caught.value.__notes__[-1].startswith("--seed ")


def test_the_command_says_how_much_it_tried():
    command = [sys.executable, "-m", "tests.fuzz", "--seconds", "1", "--only", "seals"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "executions" in done.stdout
    assert done.stdout.endswith("1 passed, 0 failed\n")
