"""A listener in a process of its own: no sender notices what kernels do; one of them leads."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from tests.process_parts import SteadySender, end_listener, gone
from tests.raw_http import post
from tests.waiting import until
from webhooklab import Lab, following, read, store
from webhooklab.errors import AttachedError, ListenerProcessError, MappingError
from webhooklab.ownership import Ownership
from webhooklab.processes import Registry, starting

pytestmark = pytest.mark.usefixtures("listener_ends")


@pytest.fixture
def kernel(kernels):
    """Starts processes with a Lab that listens in another."""
    return lambda file, **options: kernels.born(file, listener="process", **options)


def port_of(url):
    return int(url.rsplit(":", 1)[1].strip("/"))


def is_free(url):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port_of(url)))
        except OSError:
            return False
        return True


def test_kernels_are_killed_and_restarted_and_no_sender_notices(file, kernel):
    process = kernel(file)
    with SteadySender(process.url) as sender:
        for _ in range(3):
            sender.more(20)
            process.kill()
            sender.more(20)
            process = kernel(file)
            assert (process.url, process.attached) == (sender.url, False)
            assert process.head >= 20, "the new kernel has what came meanwhile"
        sender.more(20)
    assert sender.errors == []
    assert sender.slowest < 1.0
    end_listener(file)
    kept = set(read(file).body)
    assert set(sender.acknowledged) <= kept
    assert len(sender.acknowledged) > 100


def test_half_a_minute_in_one_c_call_in_the_kernel_delays_no_sender(file, kernel):
    process = kernel(file)
    process.say("rows = []; handle = lab.on_delivery(lambda each: rows.append(each.seq))")
    with SteadySender(process.url, per_second=100) as sender:
        sender.more(20)
        process.say("import ctypes; say(1); begun = ctypes.PyDLL(None).usleep(30_000_000); say(2)")
        assert process.hear() == 1
        before, begun = len(sender.acknowledged), time.monotonic()
        assert process.hear() == 2
        during, seconds = len(sender.acknowledged) - before, time.monotonic() - begun
    assert sender.errors == []
    assert sender.slowest < 1.0
    assert seconds > 29, "it stood still so long"
    assert during > 50 * seconds, "and so much came meanwhile"
    count = len(sender.acknowledged)
    assert process.ask("len(lab)") == count, "the inbox catches up"
    until(lambda: process.ask("len(rows)") == count)
    end_listener(file)
    assert sorted(read(file).body) == sorted(sender.acknowledged)


def test_rows_are_seen_at_once_because_the_process_says_so(file, monkeypatch):
    monkeypatch.setattr(store, "ATTACHED_POLL_SECONDS", 60)
    monkeypatch.setattr(following, "FOLLOW_SLICE_SECONDS", 60)
    with Lab(file, listener="process") as lab:
        for number in range(5):
            sender = threading.Timer(0.1, post, (lab.url,))  # when this thread waits already
            sender.start()
            begun = time.monotonic()
            assert list(lab.wait(timeout=20).index) == [number + 1]
            assert time.monotonic() - begun < 10
            sender.join()


def attached(file, **options):
    with pytest.warns(UserWarning, match="this Lab sees its rows.*webhooklab status") as told:
        lab = Lab(file, **options)
    assert told[0].filename == __file__
    return lab


@pytest.mark.parametrize("listener", ["process", "thread"])
def test_a_second_kernel_attaches_and_does_not_lead(file, listener, kernel):
    leader = kernel(file)
    with attached(file, listener=listener) as lab:
        assert (lab.url, lab.listening, lab.attached) == (leader.url, False, True)
        assert str(Registry().find(file).pid) in repr(lab)
        with pytest.raises(AttachedError, match="poll beside the process"):
            lab.poll("http://127.0.0.1:1/")
        with lab.expect(timeout=10) as got:
            post(lab.url, b"seen")
        assert got.events.body.tolist() == [b"seen"]
        lab.close()
        assert post(leader.url).status == 200, "who does not lead does not end it"


def test_when_the_leader_ends_a_later_lab_leads(file, kernel):
    leader = kernel(file)
    look_on = attached(file, listener="process")
    leader.kill()
    with Lab(file, listener="process") as lab:
        assert look_on.closed
        assert (lab.listening, lab.url) == (True, leader.url)


def test_a_kernel_that_ends_leaves_it_running_and_a_lab_that_closes_ends_it(file, kernel):
    first = kernel(file)
    first.end()
    assert post(first.url).status == 200
    lab = Lab(file, listener="process")
    pid = Registry().find(file).pid
    assert lab.url == first.url
    lab.close()
    assert not Ownership(file).taken(), "it is all over when close returns"
    assert is_free(lab.url)
    assert Registry().find(file) is None
    until(lambda: gone(pid))
    assert len(lab) == 1
    lab.close()


def test_a_cell_that_is_run_again_refuses_nobody(file):
    lab = Lab(file, listener="process", port=0)
    with SteadySender(lab.url) as sender:
        for _ in range(3):
            sender.more(5)
            earlier, lab = lab, Lab(file, listener="process", port=0)
            assert (lab.url, lab.listening, earlier.closed) == (earlier.url, True, True)
        sender.more(5)
    assert sender.errors == []
    lab.close()


@pytest.mark.parametrize("end", ["kill", "end"])
def test_a_process_for_one_kernel_ends_with_it(file, end, kernel):
    process = kernel(file, outlives=False)
    assert post(process.url).status == 200
    pid = Registry().find(file).pid
    getattr(process, end)()
    until(lambda: gone(pid))
    assert not Ownership(file).taken()
    assert is_free(process.url)


def test_a_lab_without_a_path_takes_its_process_with_it(kernel):
    process = kernel(None)
    pid, path = process.ask("[lab._parts.listening.remote.pid, str(lab.path)]")
    process.end()
    until(lambda: gone(pid))
    assert not Path(path).parent.exists()


def test_a_listener_that_is_killed_is_said_loudly_and_reopening_starts_another(file, caplog):
    lab = Lab(file, listener="process")
    url, pid = lab.url, Registry().find(file).pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not lab.listening)
    assert "nobody listens" in repr(lab)
    assert not lab.attached
    assert any("Nobody listens" in notice for notice in lab._describe().notices)
    assert "nobody listens" in caplog.text
    with pytest.raises(ListenerProcessError, match="open the Lab again"):
        lab.poll("http://127.0.0.1:1/")
    assert len(lab.events) == 0, "a file can be read all the same"
    again = Lab(file, listener="process")
    assert (again.url, again.listening) == (url, True)
    assert Registry().find(file).pid != pid
    assert post(again.url).status == 200
    again.close()


def test_two_kernels_that_start_at_the_same_moment(file, kernel):
    started = []

    def start():
        started.append(kernel(file))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.url for each in started}) == 1
    assert sorted(each.attached for each in started) == [False, True]
    for each in started:
        each.kill()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"port": 1}, r"port=\d+"),
        ({"host": "127.0.0.2"}, "host='127.0.0.1'"),
        ({"max_body_bytes": 10}, "max_body_bytes=26214400"),
        ({"allow_origins": ["https://b.example"]}, r"allow_origins=\['https://a.example'\]"),
    ],
)
def test_options_that_the_running_process_does_not_have_are_refused(file, options, says, kernel):
    first = kernel(file, allow_origins="https://a.example")
    first.kill()
    same = {"allow_origins": ("https://a.example",)}
    with pytest.raises(ListenerProcessError, match=f"{says}.*webhooklab stop"):
        Lab(file, listener="process", **(same | options))
    with Lab(file, listener="process", port=port_of(first.url), **same) as lab:
        assert lab.listening, "who was refused does not lead"


def test_what_keeps_it_from_listening_is_raised_here(file):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} .* choose another port"):
            Lab(file, listener="process", port=port)
    file.write_text("something else")
    with pytest.raises(Exception, match="not a capture file"):
        Lab(file, listener="process")
    file.unlink()
    with pytest.raises(ListenerProcessError, match='"thread" or "process"'):
        Lab(file, listener="fork")


def test_what_it_says_when_it_does_not_start_is_shown(file, monkeypatch):
    monkeypatch.setattr(starting, "_CODE", "raise SystemExit('no such thing')")
    with pytest.raises(ListenerProcessError, match="It said: no such thing"):
        Lab(file, listener="process")


def test_what_it_warns_of_is_a_warning_in_the_cell(file):
    with Lab(file) as lab:
        port = port_of(lab.url)
    with socket.create_server(("127.0.0.1", port)):
        with pytest.warns(UserWarning, match=f"Port {port}, .*new URL") as told:
            lab = Lab(file, listener="process")
        assert told[0].filename == __file__
        lab.close()


def test_functions_in_a_mapping_are_refused_and_expressions_reach_the_process(file):
    with Lab(file, listener="process") as lab:
        with pytest.raises(MappingError, match=r'JMESPath.*listener="thread"'):
            lab.map(event_type=str)
        lab.map(event_type="kind")
        post(lab.url, b'{"kind": "paid"}', headers=("Content-Type: application/json",))
        assert lab.events.event_type.tolist() == ["paid"]


def test_it_ends_when_its_files_are_taken_away(file, kernel):
    process = kernel(file)
    process.kill()
    pid = Registry().find(file).pid
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    until(lambda: gone(pid), patience=20)
    assert is_free(process.url)


def test_the_process_loads_what_it_needs_to_capture_and_no_more(file):
    with Lab(file, listener="process") as lab:
        maps = Path(f"/proc/{lab._parts.listening.remote.pid}/maps").read_text()
    assert "sqlite" in maps
    assert not {name for name in ("pandas", "numpy", "pyarrow") if f"/{name}/" in maps}


def test_what_a_lab_gives_stays_and_what_is_asked_needs_one_that_leads(file, kernel):
    """Static rules will be given so, and functions asked."""
    first = kernel(file)
    first.say("lab._parts.listening.remote.give('keep', '7d')")
    assert first.ask("lab._parts.listening.remote.call('vitals')['keep']") == "7d"
    with attached(file, listener="process") as second:
        with pytest.raises(AttachedError, match="Another Lab leads"):
            second._parts.listening.remote.give("keep", 5)
    first.kill()
    with Lab(file, listener="process") as lab:
        assert lab._parts.listening.remote.call("vitals")["keep"] == "7d"


def notes(kernel, folder, body="pass"):
    """Have a kernel note each delivery that its cell gets."""
    code = (
        f"def react(delivery):\n with open({str(folder / 'seen')!r}, 'a') as file:\n"
        f"  print(delivery.seq, file=file)\n {body}\n"
        "lab.on_delivery(react)\n"
        f"lab.on_delivery(lambda delivery: open({str(folder / 'lambda')!r}, 'a').write('.'))\n"
    )
    kernel.say(f"exec({code!r}); say(0)")
    kernel.hear()


def seen(folder):
    place = folder / "seen"
    return [int(line) for line in place.read_text().split()] if place.exists() else []


def test_a_function_catches_up_with_what_came_while_no_kernel_was_there(file, kernel, tmp_path):
    first = kernel(file)
    post(first.url)
    notes(first, tmp_path)
    for _ in range(3):
        post(first.url)
    until(lambda: seen(tmp_path) == [2, 3, 4])
    until(lambda: first.ask("lab._parts.store.recall('follower:react')") == "4")
    first.kill()
    for _ in range(3):
        post(first.url)
    second = kernel(file)
    notes(second, tmp_path)
    until(lambda: seen(tmp_path) == [2, 3, 4, 5, 6, 7])
    second.end()
    third = kernel(file)
    notes(third, tmp_path)
    post(third.url)
    until(lambda: seen(tmp_path) == [2, 3, 4, 5, 6, 7, 8])
    until((tmp_path / "lambda").exists)
    assert len((tmp_path / "lambda").read_text()) <= 4, "what has no name begins now"


def test_what_was_not_noted_when_the_kernel_died_comes_again(file, kernel, tmp_path):
    first = kernel(file)
    notes(first, tmp_path, "import time; time.sleep(60)")
    post(first.url)
    until(lambda: seen(tmp_path) == [1])
    first.kill()
    notes(kernel(file), tmp_path)
    until(lambda: seen(tmp_path) == [1, 1])


def test_a_kernel_that_jupyter_restarts_leaves_it_alone(file):
    manager, client = start_new_kernel()
    cell = f"from webhooklab import Lab; lab = Lab({str(file)!r}, listener='process')"
    try:
        client.execute_interactive(cell, timeout=60)
        with SteadySender(Registry().find(file).url) as sender:
            sender.more(5)
            manager.restart_kernel()
            client.wait_for_ready(timeout=60)
            client.execute_interactive(cell + "; assert lab.listening", timeout=60)
            sender.more(5)
        assert sender.errors == []
        reply = client.execute_interactive("assert lab.listening", timeout=60)
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
