"""What `pip install` brings."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that is being tested, or one made of this checkout."""
    if built := os.environ.get("WEBHOOKLAB_WHEEL"):
        return zipfile.ZipFile(built)
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_it_has_the_notebooks_the_types_and_the_licence(wheel):
    names = set(wheel.namelist())
    assert {"webhooklab/py.typed", "webhooklab/demo/notebooks/01_first_webhook.ipynb"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "webhooklab/samples/stripe.json" in names


def test_installing_it_enables_the_jupyter_servers_extension(wheel):
    data = [name for name in wheel.namelist() if ".data/" in name]
    assert [name.partition(".data/data/")[2] for name in data] == [
        "etc/jupyter/jupyter_server_config.d/webhooklab.json"
    ]
    enabled = json.loads(wheel.read(data[0]))["ServerApp"]["jpserver_extensions"]
    assert enabled == {"webhooklab.server_extension": True}


def test_it_can_be_installed_without_jupyter(wheel):
    """As on a relay's host: only an extra brings JupyterLab along."""
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    needs = re.findall(
        r"^Requires-Dist: ([\w.-]+)(.*)$", wheel.read(metadata).decode(), re.MULTILINE
    )
    always = {name for name, rest in needs if "extra ==" not in rest}
    assert {"tornado", "websockets"} <= always
    assert not {name for name in always if name.startswith(("jupyter", "notebook", "nb"))}


def test_it_has_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"webhooklab"}
    suffixes = {Path(name).suffix for name in wheel.namelist() if name.startswith("webhooklab/")}
    assert suffixes <= {".py", ".typed", ".ipynb", ".mjs", ".css", ".md", ".png", ".json"}
