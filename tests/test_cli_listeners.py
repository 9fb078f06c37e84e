"""`webhooklab status` and `stop`: listeners are found, wherever they live, and can be ended."""

import os
import re
import signal

import pytest

from tests import command
from tests.process_parts import gone
from tests.processes import LabProcess
from tests.raw_http import post
from tests.waiting import until
from webhooklab import Lab
from webhooklab.processes import Registry

pytestmark = pytest.mark.usefixtures("listener_ends")


def test_an_orphan_is_found_and_stopped(file, tmp_path):
    with LabProcess(file, listener="process") as kernel:
        post(kernel.url)
        shown = command.run("status", cwd=tmp_path).stdout
        pid = Registry().find(file).pid
        assert f"{file}\n    {kernel.url}  since" in shown
        assert "UTC, 1 delivery\n" in shown
        assert f"process {pid}, on its own: webhooklab stop {file}" in shown
        assert f"led by the kernel {kernel.pid}" in shown
        kernel.kill()
    assert "no kernel leads it" in command.run("status", cwd=tmp_path).stdout
    stopped = command.run("stop", cwd=tmp_path)
    assert f"Process {pid} has stopped" in stopped.stdout
    until(lambda: gone(pid))
    assert command.run("status", cwd=tmp_path).stdout == "Nobody listens.\n"
    again = command.run("stop", cwd=tmp_path)
    assert (again.returncode, "nobody listens" in again.stderr) == (1, True)


def test_a_listener_in_a_kernel_is_listed_and_not_ended(file, tmp_path):
    with Lab(file) as lab:
        shown = command.run("status", cwd=tmp_path).stdout
        assert lab.url in shown
        assert f"process {os.getpid()}, a kernel: close its Lab there" in shown
        refused = command.run("stop", cwd=tmp_path)
        assert refused.returncode == 1
        assert "is a kernel" in refused.stderr
        assert post(lab.url).status == 200


def test_what_has_crashed_is_listed_no_more(file, tmp_path):
    with LabProcess(file, listener="process") as kernel:
        kernel.kill()
    pid = Registry().find(file).pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: gone(pid))
    places = list(Registry()._folder.glob("*.json"))
    assert command.run("status", cwd=tmp_path).stdout == "Nobody listens.\n"
    assert places
    assert not any(each.exists() for each in places), "it is tidied away"


def test_one_in_a_terminal_is_led_by_a_kernel_and_outlasts_it(file, tmp_path):
    with command.start("listen", "captures.db", "--port", "0", cwd=tmp_path) as listening:
        url = re.search(r"http://\S+/", command.line_with(listening, "listening"))[0]
        lab = Lab(file, listener="process", port=0)
        assert (lab.url, lab.listening) == (url, True)
        with lab.expect(timeout=10):
            post(url)
        assert "a terminal: Ctrl-C there, or" in command.run("status", cwd=tmp_path).stdout
        lab.close()
        assert post(url).status == 200, "a Lab that closes leaves it to its terminal"
        command.run("stop", cwd=tmp_path)
        assert listening.wait(20) == 0
        assert not listening.stderr.read()


def test_keep_in_a_terminal_must_be_understood(tmp_path):
    done = command.run("listen", "c.db", "--keep", "some", cwd=tmp_path)
    assert done.returncode == 1
    assert "is not understood" in done.stderr


def test_buckets_of_nobody_are_refused(tmp_path):
    ran = command.run("listen", "--bucket", "orders", cwd=tmp_path)
    assert ran.returncode == 2
    assert "add --expose webhookrelay" in ran.stderr
    assert not list(tmp_path.iterdir())
