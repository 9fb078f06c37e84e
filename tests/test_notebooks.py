"""The notebooks: committed clean, and they run."""

import json
from pathlib import Path

import pytest

from tests import command
from webhooklab import read

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_committed_without_outputs(path):
    for cell in json.loads(path.read_text())["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_all_run_without_a_browser_and_leave_a_csv(tmp_path):
    done = command.run("demo", "tour", "--execute", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" ok\n") == len(NOTEBOOKS)
    csv = Path(done.stdout.rpartition("CSV: ")[2].strip())
    assert len(read(csv)) >= 100


def test_one_that_fails_fails_the_command_and_a_users_copy_stays(tmp_path):
    folder = tmp_path / "tour"
    folder.mkdir()
    mine = json.loads(NOTEBOOKS[0].read_text())
    mine["cells"] = [
        {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None,
         "source": "raise ValueError('mine')"}
    ]  # fmt: skip
    (folder / NOTEBOOKS[0].name).write_text(json.dumps(mine))
    done = command.run("demo", "tour", "--execute", cwd=tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "ValueError: mine" in done.stderr
