"""Naughty strings in a report, opened in a real browser: text, and nothing else."""

import matplotlib.pyplot as plt
import pytest

from tests.inputs import formulas, naughty_strings, needs_corpora
from tests.jupyter.hostile_parts import MARKUP
from tests.jupyter.jupyter_server import HOW_TO_INSTALL, QUIET, chromium_path
from tests.test_comparison_pictures import comparison_of

pytestmark = [
    needs_corpora,
    pytest.mark.skipif(chromium_path() is None, reason=HOW_TO_INSTALL),
    pytest.mark.filterwarnings("ignore:Glyph"),  # a picture's font has not every sign
]

LISTED = 100
"""Two missed webhooks of each are as many as a report lists."""
SHORT = 50
"""Characters; pandas cuts longer texts, and writes escapes for what ends lines."""
LOOK = """() => {
    const every = [...document.querySelectorAll('*')];
    return {
        elements: [...new Set(every.map((each) => each.localName))],
        attributes: [...new Set(every.flatMap((each) => each.getAttributeNames()))],
        cells: [...document.querySelectorAll('td')].map((each) => each.textContent),
    };
}"""
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "alt", "src", "border", "class", "style"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The texts of each, and the file."""
    texts = list(dict.fromkeys([*MARKUP, *naughty_strings(), *formulas()]))
    folder = tmp_path_factory.mktemp("reports")
    plt.switch_backend("Agg")
    made = []
    for start in range(0, len(texts), LISTED):
        some = [text for text in texts[start : start + LISTED] if text]
        path = folder / f"{start}.html"
        comparison_of(len(some), some.__getitem__).report(path)
        made.append((some, path))
    plt.close("all")
    return made


@pytest.fixture
def page():
    playwright = pytest.importorskip("playwright.sync_api", reason=HOW_TO_INSTALL)
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium_path(), args=list(QUIET))
        yield browser.new_page(bypass_csp=True)  # what is in it is harmless without its policy, too
        browser.close()


def spaced(text):
    """With single spaces, as a browser shows it."""
    return " ".join(text.split())


def test_a_report_shows_each_as_text(reports, page):
    dialogs, asked = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    for texts, path in reports:
        page.goto(path.as_uri())
        seen = page.evaluate(LOOK)
        assert set(seen["elements"]) <= ELEMENTS
        assert set(seen["attributes"]) <= ATTRIBUTES
        plain = [text for text in texts if text.isprintable() and len(text) < SHORT]
        assert set(map(spaced, plain)) <= set(map(spaced, seen["cells"]))
    assert dialogs == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
