"""A bounded part of the fuzzing, the same each time; `python -m tests.fuzz` goes on from there."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz import every  # noqa: F401 - each module registers its targets
from tests.fuzz.files import damaged, folder
from tests.fuzz.raw import RAW, SIGNED
from tests.fuzz.registry import TARGETS, Target
from webhooklab import verify

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


@pytest.mark.parametrize("name", RAW)
def test_what_a_search_of_bytes_begins_with_breaks_nothing(name):
    target, raw = TARGETS[name], RAW[name]
    with target.staged() as staged:
        for whole in (b"", *raw.begun(*staged)):
            target.check(raw.read(whole), *staged)


def test_such_a_search_begins_with_a_valid_delivery_of_each_provider_that_signs():
    raw = RAW["signatures_invented"]
    found = [(given["provider"], verify(**given).status) for given in map(raw.read, raw.begun())]
    assert {name for name, status in found if status == "valid"} == set(SIGNED)
    assert {status for _, status in found} == {"valid", "invalid", "unverifiable"}


def test_in_such_a_search_the_bytes_are_the_whole_file():
    with folder() as there:
        drawn = RAW["exports_damaged"].read(b"\x01{}")
        assert damaged(there, *drawn).name == "damaged-whole.jsonl"
        assert damaged(there, *drawn).read_bytes() == b"{}"
