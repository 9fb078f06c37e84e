"""A process that is forked while it has a Lab: the child disturbs nothing, and has no Lab."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback

import pytest

from tests.crashes.arrived import CaptureFile
from tests.crashes.traffic import Ledger, Senders
from tests.crashes.verdict import Judge
from tests.process_parts import end_listener, gone
from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab, read
from webhooklab.errors import ClosedError, ForkedError
from webhooklab.ownership import Ownership
from webhooklab.processes import Registry

LIVES_ON = "pid = os.fork() or (os.close(talk.fileno()), signal.pause())"
"""A child of a kernel that no longer talks to the test."""

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def in_a_fork(function):
    """Run it in a forked child, which then ends at once; whether it held there."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def test_a_child_that_ends_as_any_process_disturbs_nothing(kernels, file):
    """Also by what runs when Python ends, while senders send all the time."""
    kernel = kernels.born(file)
    ledger = Ledger()
    fork = "pid = os.fork()\nif pid == 0: sys.exit()\nsay(os.waitpid(pid, 0)[1])"
    with Senders(kernel.url, ledger, "fork"):
        for _ in range(5):
            kernel.say(f"exec({fork!r})")
            assert kernel.hear() == 0
        enough = len(ledger.acknowledged) + 20
        until(lambda: len(ledger.acknowledged) >= enough)
    assert ledger.broken == 0
    assert kernel.ask("lab.listening")
    judge = Judge(ledger, CaptureFile(file))
    judge.look_at_all()
    assert not judge.findings
    code = "import pathlib, sys; from webhooklab.ownership import Ownership; "
    code += "print(Ownership(pathlib.Path(sys.argv[1])).taken())"
    seen = subprocess.check_output([sys.executable, "-c", code, str(file)], text=True)
    assert seen == "True\n", "it is still this kernel that listens"


@pytest.mark.parametrize("listener", ["thread", "process"])
def test_a_child_that_outlives_the_kernel_keeps_nothing(kernels, file, listener):
    kernel = kernels.born(file, listener=listener)
    with Client(kernel.url) as client:
        assert client.ask(request()).status == 200
        kernel.say(LIVES_ON)
        kernel.say("say(pid)")
        child = kernel.hear()
        try:
            kernel.kill()
            with Lab(file, listener=listener) as lab:
                assert (lab.url, lab.listening) == (kernel.url, True)
                assert post(lab.url).status == 200
                assert len(lab) == 2
            if listener == "thread":
                assert client.rest() == b"", "senders are told that it has gone"
        finally:
            os.kill(child, signal.SIGKILL)
    if listener == "process":
        end_listener(file)


def test_a_child_has_no_lab(lab):
    post(lab.url, b"1")
    assert len(lab.events) == 1

    def child():
        assert lab.closed
        assert not lab.listening
        assert f"process {os.getppid()}, of which this one is a fork" in repr(lab)
        for use in (lambda: lab.events, lambda: len(lab), lambda: read(lab.path)):
            with pytest.raises(ForkedError, match=r"open in process .*spawn"):
                use()
        with pytest.raises(ForkedError):
            Lab(lab.path)
        for use in (lambda: lab.delete(1), lambda: lab.on_delivery(print), lab.map):
            with pytest.raises(ClosedError, match="of which this one is a fork"):
                use()
        lab.close()

    assert in_a_fork(child)
    assert post(lab.url, b"2").status == 200
    assert lab.events.body.tolist() == [b"1", b"2"]


def test_a_child_may_have_a_lab_of_its_own(lab, tmp_path):
    def child():
        with Lab(tmp_path / "own.db") as own:
            assert post(own.url, b"own").status == 200
            assert post(lab.url, b"to the parent").status == 200
            assert own[1].body == b"own"

    assert in_a_fork(child)
    assert [each.body for each in lab] == [b"to the parent"]
    assert len(read(tmp_path / "own.db")) == 1


def test_what_was_closed_before_is_read_in_a_child(lab):
    post(lab.url, b"kept")
    lab.close()
    assert in_a_fork(lambda: read(lab.path).body.tolist().index(b"kept"))


def test_a_temporary_folder_stays_when_a_child_ends():
    code = """
import os, sys
from webhooklab import Lab
lab = Lab(None)
pid = os.fork()
if pid == 0:
    sys.exit()
os.waitpid(pid, 0)
print(lab.path.exists(), len(lab))
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True 0\n"


def test_workers_of_a_pool_compute_while_it_captures(lab):
    post(lab.url, b"17")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(int, lab.events.body.tolist() * 8) == [17] * 8
        assert post(lab.url).status == 200
    assert len(lab) == 2


def test_no_fork_in_the_midst_of_a_transaction(lab):
    """SQLite in the child would undo there what the parent is writing."""
    store = lab._parts.store
    begun, over = threading.Event(), threading.Event()

    def write():
        with store.writing():
            begun.set()
            over.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(10)
    threading.Timer(0.2, over.set).start()
    assert in_a_fork(lambda: over.is_set() or os._exit(1))
    writer.join()


def test_the_port_is_free_when_only_a_child_is_left(kernels, file):
    kernel = kernels.born(file)
    kernel.say(LIVES_ON)
    kernel.say("say(pid)")
    child = kernel.hear()
    try:
        kernel.kill()
        until(lambda: gone(kernel.pid))
        port = int(kernel.url.rsplit(":", 1)[1].strip("/"))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        assert not Ownership(file).taken()
        assert Registry().find(file) is None
    finally:
        os.kill(child, signal.SIGKILL)
