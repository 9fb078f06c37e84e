"""What the run looks for at its end: it is found while it is there, and not afterwards."""

from tests.left_behind import left_behind
from tests.processes import LabProcess, Process
from tests.waiting import until
from webhooklab import Lab
from webhooklab.processes import Registry


def pids():
    return {int(each.split()[1].strip(":,")) for each in left_behind(0) if "process" in each}


def test_processes_are_found_also_when_who_started_them_is_gone(file):
    with LabProcess(file, listener="process") as kernel:
        listener = Registry().find(file).pid
        assert {kernel.pid, listener} <= pids()
        kernel.kill()
        assert pids() & {kernel.pid, listener} == {listener}
        Lab(file, listener="process").close()
    until(lambda: not pids() & {kernel.pid, listener})
    with Process("import time; print(1, flush=True); time.sleep(60)") as other:
        assert other.hear() == 1
        assert other.pid in pids()


def test_ports_and_locks_are_found(file):
    with Lab(file) as lab:
        port = lab.url.rstrip("/").rpartition(":")[2]
        held = (f"port {port} is listened at", f"{file}-lock is held")
        assert set(held) <= set(left_behind(0))
    assert not set(held) & set(left_behind(0))
