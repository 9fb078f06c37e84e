"""`lab.fixture`: a delivery becomes a test, which a real pytest runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import webhooklab
from tests.inputs import send
from tests.test_code import send_raw
from webhooklab.errors import ExportError, UnknownDeliveryError

EVIL = b"\"\"\"\nimport os; os._exit(7)\n''' {0} %s \\"


def run(folder):
    """How many tests of a folder pass, run by a pytest of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder]
    done = subprocess.run(
        [*command, folder],
        env=os.environ | {"PYTHONPATH": str(Path(webhooklab.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.splitlines()[-1].split()[0])


def test_signed_deliveries_become_tests_that_pass(lab, tmp_path):
    names = ["github", "stripe", "slack", "twilio", "standardwebhooks", "shopify"]
    for name in names:
        lab.send_sample(name, secret=None)
    for delivery in lab:
        path = lab.fixture(delivery.seq, tmp_path / "made")
        assert path.with_name(path.stem.removeprefix("test_") + ".body").read_bytes() == (
            delivery.body
        )
        assert "def signed(" in path.read_text()
    assert run(tmp_path / "made") == 3 * len(names)


def test_a_test_that_is_broken_fails(lab, tmp_path):
    lab.send_sample("github")
    path = lab.fixture(lab[1], tmp_path)
    body = path.with_name(path.stem.removeprefix("test_") + ".body")
    body.write_bytes(body.read_bytes() + b" ")
    with pytest.raises(AssertionError, match="sha256"):
        run(tmp_path)


def test_nothing_from_the_wire_is_code_and_no_credential_is_in_it(lab, tmp_path):
    lab.map(event_type="type", path="/mapped")
    headers = [b'X-Evil: """ + exit(7) #', b"X-Latin: \xff{x}", b"Authorization: Bearer s3cret"]
    send_raw(lab, b"PUT", b'/mapped/"""?token=s3cret&b=\xff', headers, bytes(range(256)) + EVIL)
    send(lab.url, [("application/json", b'{"type":"../../x\\n\\"\\"\\" {0}"}')], "/mapped")
    made = [lab.fixture(seq, tmp_path) for seq in (1, 2)]
    assert [path.name for path in made] == ["test_delivery_1.py", "test_delivery_2_x_0.py"]
    assert "s3cret" not in made[0].read_text()
    assert "***" in made[0].read_text()
    assert run(tmp_path) == 2


def test_nothing_is_overwritten_unasked(lab, tmp_path):
    lab.send_sample("github")
    path = lab.fixture(1, tmp_path)
    path.write_text("mine")
    with pytest.raises(ExportError, match="overwrite=True"):
        lab.fixture(1, tmp_path)
    assert path.read_text() == "mine"
    assert lab.fixture(1, tmp_path, overwrite=True).read_text() != "mine"
    (tmp_path / "file").touch()
    with pytest.raises(ExportError):
        lab.fixture(1, tmp_path / "file")
    with pytest.raises(UnknownDeliveryError):
        lab.fixture(99, tmp_path)
