"""What Binder is told to install. `.ci/run` does install it, and runs the notebook there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_repo2docker_reads_it(tmp_path):
    command = Path(sys.executable).with_name("jupyter-repo2docker")
    if not command.exists():
        pytest.skip('pip install "webhooklab[test]" brings jupyter-repo2docker')
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    shown = subprocess.run(
        [command, "--no-build", "--debug", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    dockerfile = shown.stdout + shown.stderr
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
    assert "3.12" in dockerfile


def test_it_installs_this_checkout_with_jupyterlab():
    assert (ROOT / "binder" / "requirements.txt").read_text().split() == ["./[lab]"]
