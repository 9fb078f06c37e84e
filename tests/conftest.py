"""What many tests start from: a Lab on a fresh file, and real inputs of other projects."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import hypothesis
import pytest

from tests.api_parts import pulling_in
from tests.left_behind import MARK, end_all, left_behind
from tests.process_parts import end_listener
from tests.processes import Kernels
from webhooklab import Lab

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"


@pytest.fixture
def file(tmp_path):
    """Where a capture file may be made."""
    return tmp_path / "captures.db"


@pytest.fixture
def listener_ends(file):
    """What listens for the file in a process of its own ends with the test."""
    yield
    end_listener(file)


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """Makes processes with a Lab each."""
    with Kernels(tmp_path_factory.mktemp("kernels")) as made:
        yield made


@pytest.fixture
def pulling(tmp_path):
    """All that pulls for a capture file that nobody listens for."""
    with pulling_in(tmp_path) as made:
        yield made


@pytest.fixture
def lab(file):
    """A Lab that listens on loopback, closed when the test ends."""
    with Lab(file) as opened:
        yield opened


@pytest.fixture(scope="session")
def corpora():
    """The folder of real inputs. Its README says where they come from."""
    if not CORPORA.is_dir():
        pytest.skip("the corpora of real inputs stand beside the repository, and are not there")
    return CORPORA


# Where everything is installed, a test that was skipped was not run: CI must not pass on that.

SKIPPED = pytest.StashKey[list[str]]()
STATE = pytest.StashKey[str]()
MAY_BE_ABSENT = ("corpora", "superuser")
"""What a machine may rightly lack: inputs beside the checkout, the right to mount a disk."""
NOT_TO_BE_REPEATED = 7
"""The exit status of a run that has failed whatever the tests that failed do next time."""

# How long an example takes says something about the machine, nothing about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config):
    config.stash[SKIPPED] = []
    # Listeners of the tests are listed where no others are, in every process that tests start.
    os.environ[MARK] = str(os.getpid())
    os.environ["XDG_STATE_HOME"] = config.stash[STATE] = tempfile.mkdtemp(prefix="webhooklab-")
    # What a shell starts in the background ignores Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2])
        if not any(known in reason for known in MAY_BE_ABSENT):
            item.config.stash[SKIPPED].append(f"{item.nodeid}: {reason}")
    return report


def pytest_sessionfinish(session):
    left = left_behind()
    if left:
        print("\nThe tests have left behind:", *left, sep="\n  ")
        session.exitstatus = NOT_TO_BE_REPEATED
        end_all()
    shutil.rmtree(session.config.stash[STATE], ignore_errors=True)
    skipped = session.config.stash[SKIPPED]
    if skipped and "WEBHOOKLAB_CI" in os.environ:
        print("\nCI must run these, and they were skipped:", *skipped, sep="\n  ")
        session.exitstatus = NOT_TO_BE_REPEATED
