"""Hostile requests at the other ways in: a listener's own process, and a real Jupyter server."""

from contextlib import ExitStack
from urllib.parse import urlsplit

import psutil
import pytest

from tests.conftest import CORPORA
from tests.hostile_requests import FILES, aimed, not_http, smuggling, statuses
from tests.jupyter.jupyter_server import JupyterServer
from tests.process_parts import end_listener
from tests.raw_http import Client, post
from tests.waiting import until
from webhooklab import Lab
from webhooklab.processes import Registry

ROUTE = "/webhooklab/in/"


class Way:
    """A lab's URL, and the process that is behind it."""

    def __init__(self, lab, url, pid):
        self.lab, self.url, self.path = lab, url, urlsplit(url).path
        self._process = psutil.Process(pid)
        self.next()
        self._files = self._process.num_fds()

    def next(self):
        """An ordinary delivery is captured."""
        assert post(self.url, b"next").status == 200
        assert self.lab[-1].body == b"next"

    def send(self, hostile):
        """The statuses of all answers, and the paths that were captured."""
        before = len(self.lab)
        with Client(self.url) as client:
            answers = client.send(hostile).finish_sending().rest()
        return statuses(answers), self.lab.events.path.iloc[before:].tolist()

    def has_let_go(self):
        """Every connection has been closed, and the process is the one that it was."""
        until(lambda: self._process.num_fds() <= self._files)
        assert self._process.is_running()


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    file = tmp_path_factory.mktemp("process") / "captures.db"
    with Lab(file, listener="process") as lab:
        yield Way(lab, lab.url, Registry().find(file).pid)
    end_listener(file)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyter")
    server = JupyterServer(folder)
    with ExitStack() as undo:
        undo.callback(server.stop)
        patch = undo.enter_context(pytest.MonkeyPatch.context())
        for name in ("JUPYTER_RUNTIME_DIR", "XDG_STATE_HOME"):
            patch.setenv(name, server.environment[name])
        patch.setenv("JPY_PARENT_PID", str(server.pid))
        lab = undo.enter_context(Lab(folder / "captures.db"))
        yield Way(lab, lab.expose().url, server.pid)


@pytest.fixture(params=["process", "jupyter"])
def way(request):
    return request.getfixturevalue(request.param)


@pytest.mark.usefixtures("corpora")
def test_hostile_requests(way):
    """Each as it is, and with the lab's target in its first line."""
    assert len(FILES) > 40, CORPORA
    for file in FILES:
        for hostile in (file.read_bytes(), aimed(file.read_bytes(), way.path)):
            answers, captured = way.send(hostile)
            assert not {b"500", b"503"} & set(answers), file
            if way.path == "/":  # Jupyter lets a sender that sends no more go without its answer
                assert answers.count(b"200") == len(captured), file
    way.next()
    way.has_let_go()


def test_what_is_not_http(way):
    for hostile in not_http(way.path):
        answers, captured = way.send(hostile)
        assert set(answers) <= {b"400", b"413", b"431"}, hostile[:40]
        assert captured == [], hostile[:40]
    way.next()
    way.has_let_go()


def test_a_request_that_hides_another_is_refused(way):
    for name, hostile in smuggling(f"{way.path}seen", f"{way.path}smuggled").items():
        assert way.send(hostile) == ([b"400"], []), name
    way.next()
    way.has_let_go()
    assert not {"/seen", "/smuggled"} & set(way.lab.events.path)
