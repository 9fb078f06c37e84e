"""What many tests start from: a Lab on a fresh file, and real inputs of other projects."""

from pathlib import Path

import pytest

from webhooklab import Lab

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"


@pytest.fixture
def file(tmp_path):
    """Where a capture file may be made."""
    return tmp_path / "captures.db"


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
