import itertools

import pytest

from tests.jupyter.jupyter_server import HOW_TO_INSTALL, LAB, QUIET, JupyterServer, chromium_path
from tests.jupyter.lab_page import PATIENCE_SECONDS, NotebookPage

# Of this package, not of the session: the browser's driver keeps an event loop running in this
# thread, and tests elsewhere start their own.

_names = (f"notebook-{number}.ipynb" for number in itertools.count(1))


@pytest.fixture(scope="package")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason=HOW_TO_INSTALL)
    path = chromium_path()
    if path is None:
        pytest.skip(HOW_TO_INSTALL)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def jupyter(chromium, tmp_path_factory):  # noqa: ARG001 - without a browser it need not start
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def context(chromium):
    # One for all tests, so that JupyterLab's own files are loaded once.
    made = chromium.new_context(viewport={"width": 1200, "height": 1000}, accept_downloads=True)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    made.set_default_timeout(1e3 * PATIENCE_SECONDS)
    yield made
    made.close()


@pytest.fixture(scope="package")
def workbench(jupyter, context):
    """JupyterLab, loaded once: it takes longer than most tests."""
    page = context.new_page()
    jupyter.open_lab(page)
    return page


@pytest.fixture
def notebook(jupyter, context, workbench):
    """Opens a notebook with the cells it is given; its kernel ends with the test.

    `before` is called with the browser's page before anything is loaded.
    """
    opened = []

    def open_notebook(*cells, app=LAB, before=lambda _page: None):
        name = next(_names)
        jupyter.write(name, cells)
        jupyter.warm_kernel(name)
        page = NotebookPage(jupyter, workbench if app == LAB else context.new_page(), name)
        opened.append(page)
        before(page.page)
        return page.show() if app == LAB else page.open(app)

    yield open_notebook
    for page in opened:
        page.leave()
    jupyter.end_kernels()
    assert [error for page in opened for error in page.errors] == []
