"""A lab that listens in a process of its own, exposed: its URL goes on while no kernel is there."""

import os
import signal
from urllib.parse import urlsplit

import pytest

from tests import raw_http
from tests.jupyter.jupyter_server import JupyterServer
from tests.process_parts import SteadySender, end_listener, gone
from tests.processes import LabProcess
from tests.waiting import until
from webhooklab import Lab
from webhooklab.errors import AttachedError
from webhooklab.processes import Registry
from webhooklab.secret import kept_secret
from webhooklab.server_extension.doors import Door, Doors

pytestmark = pytest.mark.usefixtures("listener_ends")

TUNNEL = "https://abc.tunnel.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = JupyterServer(tmp_path_factory.mktemp("exposing"))
    yield running
    running.stop()


@pytest.fixture
def in_jupyter(server, monkeypatch):
    """This process, and those that it starts, pass for kernels of the server."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", server.environment["JUPYTER_RUNTIME_DIR"])
    monkeypatch.setenv("JPY_PARENT_PID", str(server.pid))


def status(url):
    return raw_http.post(url).status


def by_tunnel(lab_url, path):
    """What a request gets that comes by the tunnel."""
    port = urlsplit(lab_url).port
    data = f"POST /{path} HTTP/1.1\r\nHost: abc.tunnel.example\r\nContent-Length: 2\r\n\r\n{{}}"
    with raw_http.Client(f"http://127.0.0.1:{port}/") as client:
        return client.ask(data.encode()).status


@pytest.mark.usefixtures("in_jupyter")
def test_a_tunnel_is_taken_up_where_the_jupyter_server_cannot_be(file, monkeypatch):
    with LabProcess(file, listener="process") as kernel:
        kernel.say(
            f"lab.expose(); print(json.dumps(lab.expose(base_url={TUNNEL!r}).url), flush=True)"
        )
        url = kernel.hear()
        kernel.kill()
    monkeypatch.delenv("JPY_PARENT_PID")  # as in a terminal
    with Lab(file, listener="process") as lab:
        assert lab.public_url == url


@pytest.mark.usefixtures("in_jupyter")
def test_a_kernel_dies_and_comes_back_and_no_sender_to_the_public_url_notices(file):
    with LabProcess(file, listener="process") as kernel:
        kernel.say("print(json.dumps(lab.expose().url), flush=True)")
        url = kernel.hear()
        with SteadySender(url) as sender:
            sender.more(5)
            kernel.kill()
            sender.more(5)
            with Lab(file, listener="process") as lab:
                sender.more(5)
                assert lab.public_url == url  # before it is exposed again
                assert lab.check().ok
                assert lab.expose().url == lab.public_url == url
                sender.more(5)
                sender.stop()
                assert sender.errors == []
                kept = [row.body for row in lab]
                assert set(kept) >= set(sender.acknowledged)
                assert {row.source for row in lab} == {"jupyter"}
                result = lab.check()
                assert result.ok, result
                assert lab.expose().url == url
            assert status(url) == 503


@pytest.mark.usefixtures("in_jupyter")
def test_a_kernel_that_ends_leaves_the_url_to_the_process_whose_end_closes_it(file):
    with LabProcess(file, listener="process") as kernel:
        kernel.say("print(json.dumps(lab.expose().url), flush=True)")
        url = kernel.hear()
        code, complaints = kernel.end()  # as at a kernel's restart: all that runs at exit does
        assert (code, complaints) == (0, "")
    assert status(url) == 200
    assert Doors().find(kept_secret(file, "jupyter")) != Door()
    end_listener(file)
    assert status(url) == 503
    assert (
        Doors().find(kept_secret(file, "jupyter")) == Door()
    )  # whoever has the port now is sent nothing


@pytest.mark.usefixtures("in_jupyter")
def test_a_lab_that_does_not_outlive_its_kernel_takes_its_url_along(file):
    with LabProcess(file, listener="process", outlives=False) as kernel:
        kernel.say("print(json.dumps(lab.expose().url), flush=True)")
        url = kernel.hear()
        kernel.end()
    assert status(url) == 503
    assert Doors().find(kept_secret(file, "jupyter")) == Door()


def test_what_comes_by_a_tunnel_must_know_the_secret_with_and_without_a_kernel(file):
    with LabProcess(file, listener="process") as kernel:
        kernel.say(f"print(json.dumps([lab.expose(base_url={TUNNEL!r}).url, lab.url]), flush=True)")
        url, here = kernel.hear()
        secret = url.removeprefix(f"{TUNNEL}/")
        assert [by_tunnel(here, path) for path in (secret, "x")] == [200, 404]
        kernel.kill()
    assert [by_tunnel(here, path) for path in (secret, "x")] == [200, 404]
    with Lab(file, listener="process") as lab:
        assert lab.public_url == url
        lab._close(leaving=True)  # as when this kernel ends
    process = Registry().find(file)
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: gone(process.pid))
    with Lab(file, listener="process") as lab:  # another process, and nobody has said expose
        assert Registry().find(file).pid != process.pid
        assert [by_tunnel(lab.url, path) for path in (secret, "x")] == [200, 404]
        assert lab.expose(base_url=TUNNEL).url == url
        lab.expose(base_url=TUNNEL).close()
        assert [by_tunnel(lab.url, path) for path in (secret, "x")] == [503, 404]
        lab.expose(base_url=TUNNEL).revoke()
        assert [by_tunnel(lab.url, path) for path in (secret, "x")] == [404, 404]
        assert {row.path for row in lab} == {"/"}
        assert len(lab) == 3


def test_a_lab_that_only_looks_on_does_not_expose(file):
    with LabProcess(file, listener="process"):
        with pytest.warns(UserWarning, match="attached"):
            lab = Lab(file, listener="process")
        with lab, pytest.raises(AttachedError):
            lab.expose(base_url=TUNNEL)
        assert lab.public_url is None
