"""Opening, closing and opening again: in one process, in two, after a crash, in a kernel."""

import socket
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from IPython.core.formatters import DisplayFormatter
from jupyter_client.manager import start_new_kernel

from tests.processes import LabProcess, Process
from tests.raw_http import Client, post, request
from tests.waiting import until
from webhooklab import Lab, WebhookLabError
from webhooklab.background import BackgroundLoop
from webhooklab.errors import PortTakenError


def port_of(url):
    return int(url.rsplit(":", 1)[1].strip("/"))


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_fifty_labs_leave_no_thread_and_no_file(file):
    this = psutil.Process()
    before = None
    for number in range(50):
        with Lab(file) as lab:
            post(lab.url)
            lab.on_delivery(print)
            assert len(lab.events) == number + 1
        before = before or (threading.active_count(), this.num_fds())  # imports open files, once
    assert (threading.active_count(), this.num_fds()) == before
    assert not [each.name for each in threading.enumerate() if each.name.startswith("webhooklab")]


def test_a_cell_that_is_run_again(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    cell = "lab = Lab(port=port)"
    cells = {"Lab": Lab, "port": 0}
    exec(cell, cells)
    first, cells["port"] = cells["lab"], port_of(cells["lab"].url)
    post(first.url)
    exec(cell, cells)
    assert cells["lab"].url == first.url
    assert first.closed
    assert not first.listening
    post(first.url)
    assert list(cells["lab"].events.index) == [1, 2] == list(first.events.index)
    cells["lab"].close()


def test_the_port_is_remembered(file):
    with Lab(file) as lab:
        url = lab.url
    with LabProcess(file) as process:
        assert process.url == url
        assert process.end() == (0, "")
    with Lab(file) as lab:
        assert lab.url == url


def test_a_remembered_port_that_is_taken(file, monkeypatch):
    monkeypatch.setattr("webhooklab.server.PORT_RELEASE_SECONDS", 0.05)
    with Lab(file) as lab:
        port = port_of(lab.url)
    with socket.create_server(("127.0.0.1", port)):
        with pytest.warns(
            UserWarning, match=f"Port {port}, .* tell the provider the new URL"
        ) as told:
            lab = Lab(file)
        assert told[0].filename == __file__
        assert port_of(lab.url) != port
        assert post(lab.url).status == 200
    lab.close()


def test_a_port_that_is_taken(file, taken, monkeypatch):
    monkeypatch.setattr("webhooklab.server.PORT_RELEASE_SECONDS", 0.05)
    before = threading.active_count(), psutil.Process().num_fds()
    with pytest.raises(PortTakenError, match=f"Port {taken} .* choose another port"):
        Lab(file, port=taken)
    assert (threading.active_count(), psutil.Process().num_fds()) == before
    with Lab(file, port=0) as lab:
        assert post(lab.url).status == 200


@pytest.mark.parametrize("options", [{"port": 70_000}, {"port": -1}, {"host": "not a host"}])
def test_an_address_that_cannot_be(file, options):
    with pytest.raises(PortTakenError, match="Choose an address"):
        Lab(file, **options)


def test_a_second_process_looks_on_and_takes_over_after_a_crash(file):
    with LabProcess(file) as owner:
        with pytest.warns(UserWarning, match=f"process {owner.pid} listens at {owner.url}"):
            attached = Lab(file)
        assert (attached.attached, attached.listening) == (True, False)
        assert attached.url == owner.url
        assert str(owner.pid) in repr(attached)
        with attached.expect(timeout=10) as got:
            post(owner.url, b'{"seen": "live"}')
        assert got.events.body.tolist() == [b'{"seen": "live"}']
        attached.delete(1)
        owner.kill()
        with Lab(file) as heir:
            assert attached.closed
            assert (heir.url, heir.listening) == (owner.url, True)
            assert post(heir.url).status == 200
            assert list(heir.events.index) == [2]


def test_a_lab_without_a_path_is_gone_when_the_process_ends():
    with Process(
        "import json, webhooklab; lab = webhooklab.Lab(None)\n"
        "print(json.dumps(str(lab.path)), flush=True)\ninput()"
    ) as process:
        path = process.hear()
        code, complaints = process.end()
    assert code == 1, "its input ended"
    assert complaints.strip().endswith("EOFError: EOF when reading a line"), "and nothing else"
    assert not Path(path).parent.exists()


def test_memory_is_refused():
    with pytest.raises(WebhookLabError, match=r"Lab\(None\)"):
        Lab(":memory:")


def test_outside_a_notebook_it_is_a_line_of_text(lab):
    post(lab.url)
    shown, _ = DisplayFormatter().format(lab)
    assert shown == {"text/plain": repr(lab)}
    assert lab.url in repr(lab)
    assert "1 delivery" in repr(lab)


def test_a_closed_lab_reads(lab):
    post(lab.url, b"kept")
    with lab as same:
        assert same is lab
    lab.close()
    assert lab[1].body == lab.events.body[1] == b"kept"
    assert "closed" in repr(lab)
    for call in (lab.clear, lab.map, lambda: lab.on_delivery(print), lambda: lab.delete(1)):
        with pytest.raises(WebhookLabError, match="closed"):
            call()
    with pytest.raises(ConnectionRefusedError):
        Client(lab.url)


def test_the_switch_interval_is_given_back(file, tmp_path):
    mine = 0.004
    before = sys.getswitchinterval()
    sys.setswitchinterval(mine)
    try:
        with Lab(file), Lab(tmp_path / "other.db"):
            assert sys.getswitchinterval() < mine
        assert sys.getswitchinterval() == pytest.approx(mine)
    finally:
        sys.setswitchinterval(before)


def test_closing_under_load_answers_what_it_took_and_does_not_take_long(file):
    lab, answered = Lab(file), []

    def send():
        try:
            with Client(lab.url) as client:
                while True:
                    answered.append(client.ask(request()).status)
        except (OSError, AssertionError):
            pass

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 100)
    started = time.monotonic()
    lab.close()
    assert time.monotonic() - started < 3
    for thread in threads:
        thread.join()
    assert set(answered) == {200}
    assert len(lab) == len(answered)


def test_a_process_that_ends_closes_its_lab(file):
    with LabProcess(file) as process:
        post(process.url)
        process.say("lab.on_delivery(lambda delivery: None)")
        assert process.end() == (0, "")
    assert not file.with_name(file.name + "-wal").exists(), "the log was folded in"


def test_a_kernel_that_is_restarted_goes_on_at_the_same_url(file):
    manager, client = start_new_kernel()
    cell = f"from webhooklab import Lab; lab = Lab({str(file)!r}); print(lab.url)"
    try:
        urls = []
        for _ in range(2):
            urls.append(run(client, cell))
            post(urls[-1])
            manager.restart_kernel()
            client.wait_for_ready(timeout=60)
        assert run(client, cell) == urls[0] == urls[1]
        assert run(client, "print(list(lab.events.index))") == "[1, 2]"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client, cell):
    said = []

    def note(message):
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    reply = client.execute_interactive(cell, output_hook=note, timeout=60)
    assert reply["content"]["status"] == "ok", reply
    return "".join(said).strip()


def test_a_background_loop_is_started_and_stopped_as_often_as_one_likes():
    with BackgroundLoop() as loop:
        loop.start()
        assert loop.call(lambda: threading.current_thread().daemon)
        with pytest.raises(ZeroDivisionError):
            loop.call(lambda: 1 / 0)
    loop.stop()
    loop.post(print)
    assert not loop.running
    with pytest.raises(RuntimeError, match="call start"):
        loop.call(print)
